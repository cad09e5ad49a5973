# Sourced by Cloudera Manager inside a bash function, for each process whose service asks for a tag
# of this parcel. Nothing needs to be set for {{ name }}.
