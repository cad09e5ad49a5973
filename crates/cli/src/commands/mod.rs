//! One file per command: arguments in, library calls, output, exit status.

pub(crate) mod build;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod manual;
pub(crate) mod repo;
pub(crate) mod rules;
pub(crate) mod validate;
