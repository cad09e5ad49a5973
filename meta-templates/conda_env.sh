# Sourced by Cloudera Manager inside a bash function, for each process whose service asks for a tag
# of this parcel. It must not exit, print, or change anything but its variables.
{%- if cdh_python %}
if [ -z "${CDH_PYTHON:-}" ]; then
    export CDH_PYTHON="${PARCELS_ROOT:-{{ parcels_dir }}}/${PARCEL_DIRNAME:-{{ directory }}}/{{ cdh_python }}"
fi
{%- endif %}
