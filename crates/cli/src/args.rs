//! What can be typed, and nothing that is computed from it.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

/// Conda environments as Cloudera parcels: build, validate, index, install.
#[derive(Debug, Parser)]
#[command(name = "parcelctl", version, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 done; 1 looked and found errors; 2 could not run.
Data goes to standard output, talk to standard error.

Start with:
  parcelctl init my-parcel
  parcelctl build my-parcel -o out
  parcelctl install out/MY_PARCEL-1.0-el8.parcel --root /")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Print errors and warnings only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Draw no progress bars
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArgs),
    Build(BuildArgs),
    Validate(ValidateArgs),
    Explain(ExplainArgs),
    Rules(RulesArgs),
    Inspect(InspectArgs),
    /// Keep a folder of parcels that Cloudera Manager can download from
    #[command(subcommand)]
    Repo(RepoCommand),
    Install(InstallArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Make a folder with a recipe to start from
///
/// Writes parcel.toml and environment.yml into DIR. Nothing that is there is overwritten.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder; its name becomes the parcel's
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
}

/// Build the parcels of a recipe, or of a directory
///
/// A recipe is solved for each of its distros (or taken from its parcel.lock), installed for the
/// prefix it will have on the cluster, tested, checked by the rules of `validate` and written. The
/// same recipe and lock give the same bytes, on any machine. The path of each parcel is printed.
///
/// Beside X.parcel stand X.parcel.sha (SHA-1, for Cloudera Manager) and X.parcel.sha256.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parcelctl build parcels/quickstart -o out
  parcelctl build my-parcel --distro el8 --set version=2026.11-2 -o out
  parcelctl build my-parcel --channel /mnt/mirror/conda-forge --offline -o out
  parcelctl build --tree HELLO-1.0 --distro el8 -o out

SOURCE_DATE_EPOCH sets the time that every file of the parcel carries; without it, it is the time
of the newest package.")]
pub(crate) struct BuildArgs {
    /// The recipe: a folder, or its parcel.toml
    #[arg(value_name = "RECIPE", required_unless_present = "tree", value_hint = ValueHint::AnyPath)]
    pub(crate) recipe: Option<PathBuf>,
    /// Build from a directory NAME-VERSION that has its meta/ already
    #[arg(long, value_name = "DIR", conflicts_with = "recipe", requires = "distro", value_hint = ValueHint::DirPath)]
    pub(crate) tree: Option<PathBuf>,
    /// Where the parcels go; made where it is missing
    #[arg(short, long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Build for this distro only (repeatable), for example el8
    #[arg(long, value_name = "DISTRO")]
    pub(crate) distro: Vec<String>,
    /// Set a value of the recipe: version=V
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "tree")]
    pub(crate) set: Vec<String>,
    /// Compression: 1 (fast) to 9 (small)
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=9))]
    pub(crate) level: u32,
    /// Refuse to solve: the lock must have every environment and distro
    #[arg(long, conflicts_with = "tree")]
    pub(crate) locked: bool,
    /// Use no network: packages come from the cache and from folder channels
    #[arg(long, conflicts_with = "tree")]
    pub(crate) offline: bool,
    /// A channel (name, URL or folder) instead of the recipe's (repeatable); its lock is then not used
    #[arg(long, value_name = "CHANNEL", conflicts_with = "tree")]
    pub(crate) channel: Vec<String>,
    /// A lock that is not beside the recipe
    #[arg(long, value_name = "FILE", conflicts_with = "tree", value_hint = ValueHint::FilePath)]
    pub(crate) lock: Option<PathBuf>,
    /// Where the parcel will live on the cluster: the prefix that is baked into it
    #[arg(long, value_name = "DIR", conflicts_with = "tree")]
    pub(crate) parcels_dir: Option<String>,
    /// Where to work; needs room for the unpacked parcel [default: the user's cache folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) work_dir: Option<PathBuf>,
}

/// Check parcels, directories and documents against the rules
///
/// What a path is, is found from the path: a .parcel file, a directory NAME-VERSION with meta/, a
/// folder of parcels, or a document by its name. Exits with 1 when an error was found.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parcelctl validate out/*.parcel
  parcelctl validate ANALYTICS-1.0/
  parcelctl validate --format json meta/parcel.json
  parcelctl validate --warn N102 --allow P105 out/*.parcel
  parcelctl explain N102")]
pub(crate) struct ValidateArgs {
    /// What to check
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Check every PATH as this kind
    #[arg(long = "as", value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: ReportFormat,
    /// Make findings of this rule errors (repeatable); the stricter of several wishes counts
    #[arg(long, value_name = "CODE")]
    pub(crate) error: Vec<String>,
    /// Make findings of this rule warnings (repeatable)
    #[arg(long, value_name = "CODE")]
    pub(crate) warn: Vec<String>,
    /// Do not run this rule (repeatable)
    #[arg(long, value_name = "CODE")]
    pub(crate) allow: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people, with the line and a caret under the place
    Human,
    /// One JSON object with a "version"
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations for GitHub's pull requests
    Github,
}

/// Explain a rule: what it checks, why it matters, how to fix it
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The rule's code or name, as a finding shows it
    #[arg(value_name = "CODE")]
    pub(crate) rule: String,
}

/// List all rules
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// How to print them
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    ParcelJson,
    AlternativesJson,
    PermissionsJson,
    ManifestJson,
    Parcel,
    Directory,
    Repository,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object with a "version"
    Json,
}

/// Show what a parcel is and holds
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The parcel
    #[arg(value_name = "PARCEL", value_hint = ValueHint::FilePath)]
    pub(crate) parcel: PathBuf,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RepoCommand {
    Index(RepoIndexArgs),
}

/// Write manifest.json for the parcels of a folder
///
/// The folder can then be served over HTTP and its URL given to Cloudera Manager. The path of the
/// manifest is printed.
#[derive(Debug, Args)]
pub(crate) struct RepoIndexArgs {
    /// The folder of parcels
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,
}

/// Unpack and activate parcels under a root
///
/// A parcel is checked against its side files (.sha, .sha256), unpacked beside its place and
/// renamed; the link NAME is made where the parcel asks for one. Installing the same parcel again
/// changes nothing. Users, permissions and alternatives of a parcel are not applied yet; a warning
/// says so. The directory of each parcel is printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  parcelctl install out/ANALYTICS-1.0-el8.parcel
  parcelctl install out/ANALYTICS-1.0-el8.parcel out/TOOLS-2-el8.parcel --root /mnt/image")]
pub(crate) struct InstallArgs {
    /// Parcel files
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) parcels: Vec<PathBuf>,
    /// The root to install under
    #[arg(long, value_name = "DIR", default_value = "/", value_hint = ValueHint::DirPath)]
    pub(crate) root: PathBuf,
    /// Another parcels directory, as seen from inside the root
    #[arg(long, value_name = "DIR", default_value = parcel::install::PARCELS_DIRECTORY)]
    pub(crate) parcels_dir: PathBuf,
    /// The SHA-256 that the parcel must have
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<parcel::digest::Sha256Hex>,
    /// Do not make the link NAME
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) no_activate: bool,
    /// Replace the same version with other content
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  parcelctl completions bash > /etc/bash_completion.d/parcelctl")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write the pages of all commands
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
