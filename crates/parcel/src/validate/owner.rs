//! Users and groups that hosts of a cluster have without a parcel's doing.

/// Accounts of the operating system and those that Cloudera Manager makes for its services.
/// Dated data, like the distro table: a name that is missing here is a warning, never an error.
const KNOWN: &[&str] = &[
    "accumulo",
    "adm",
    "apache",
    "atlas",
    "bin",
    "cloudera-scm",
    "daemon",
    "druid",
    "flink",
    "flume",
    "games",
    "hadoop",
    "hbase",
    "hdfs",
    "hive",
    "httpfs",
    "hue",
    "impala",
    "kafka",
    "kms",
    "knox",
    "kudu",
    "livy",
    "llama",
    "mail",
    "mapred",
    "nfsnobody",
    "nifi",
    "nobody",
    "nogroup",
    "oozie",
    "operator",
    "ozone",
    "phoenix",
    "queuemanager",
    "ranger",
    "rangerraz",
    "rangertagsync",
    "root",
    "schemaregistry",
    "sentry",
    "solr",
    "spark",
    "sqoop",
    "sqoop2",
    "streamsmsgmgr",
    "streamsrepmgr",
    "sync",
    "sys",
    "tez",
    "tty",
    "users",
    "wheel",
    "yarn",
    "yarn-ats",
    "zeppelin",
    "zookeeper",
];

/// Whether hosts have a user of this name, or of this number.
pub(crate) fn is_known_user(name: &str) -> bool {
    KNOWN.contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether hosts have a group of this name, or of this number.
pub(crate) fn is_known_group(name: &str) -> bool {
    is_known_user(name)
}
