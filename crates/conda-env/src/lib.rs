//! Conda environments for a fixed final prefix.
//!
//! A parcel lives at one place on every host, and that place is known when it is built. So an
//! environment is not made relocatable: it is installed into a staging folder with its *final*
//! prefix baked in, and nothing of the machine that does this is left in it. This crate knows
//! conda and nothing of parcels; it does not read the environment or the clock, and prints nothing.
//!
//! One stage, one type, one module:
//!
//! ```text
//!  environment.yml        channels, Target                Store (cache, network)
//!        |                       |                              |
//!        v                       v                              v
//!  EnvironmentSpec ---------> Solver --> Solution --------> Installer --> Environment --> Compiler
//!      spec                   solve      ^      |            install      environment     bytecode
//!                                        |      v               `-> scrub
//!                                        lock: Lock
//! ```
//!
//! - [`spec`] reads what is wanted, [`channel`] where it may come from, [`target`] what it must run
//!   on. The host that builds is never looked at.
//! - [`solve`] finds the packages. What it gives is what a lock would give back.
//! - [`lock`] keeps solutions by environment and distribution; [`Solution::satisfies`] tells
//!   whether one still answers its spec.
//! - [`install`] puts the packages into a folder and cleans up after them.
//! - [`bytecode`] compiles Python sources, to the same bytes on every machine.
//!
//! All calls block; rattler's asynchronous code runs on threads of its own, so they must not be
//! made from asynchronous code. Errors carry what a person needs to act, and a `hint()`.
//!
//! ```no_run
//! use std::path::Path;
//! use conda_env::{Compiler, EnvironmentSpec, Installer, Lock, Network, Solver, Store, Target};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = EnvironmentSpec::load(Path::new("parcels/analytics/py311.yml"))?;
//! let target = Target::new("linux-64", "2.17")?;
//! let store = Store::new("/var/cache/parcelctl", Network::Online);
//!
//! let solution = Solver::new(&store).solve(spec.specs(), spec.channels(), &target)?;
//!
//! let mut lock = Lock::new();
//! lock.set("py311", "el7", solution.clone());
//! lock.save(Path::new("parcels/analytics/parcel.lock"))?;
//!
//! let environment = Installer::new(&store).requesting(spec.specs()).install(
//!     &solution,
//!     Path::new("/var/tmp/stage/ANALYTICS-1.0"),
//!     "/opt/cloudera/parcels/ANALYTICS-1.0",
//! )?;
//! let epoch = u32::try_from(solution.newest_timestamp().unwrap_or(315_532_800))?;
//! let compiled = Compiler::new(epoch).searching(["/usr/bin"]).compile(&environment)?;
//! assert!(compiled.skipped.is_empty());
//! # Ok(())
//! # }
//! ```

// ---- ground ----
pub mod progress;
pub mod store;
mod walk;

// ---- what is wanted ----
pub mod channel;
pub mod spec;
pub mod target;

// ---- the flow ----
pub mod bytecode;
pub mod environment;
pub mod install;
pub mod lock;
mod scrub;
pub mod solution;
pub mod solve;

pub use bytecode::{BytecodeError, Compiled, Compiler, Interpreter};
pub use channel::{ChannelError, ChannelSource};
pub use environment::{Clobber, Environment, LinkScript, Package, PythonVersion};
pub use install::{InstallError, Installer};
pub use lock::{Lock, LockError};
pub use progress::{Progress, Silent, Task};
pub use solution::{Solution, Unsatisfied};
pub use solve::{Missing, SolveError, Solver};
pub use spec::{EnvironmentSpec, SpecError};
pub use store::{Network, Store};
pub use target::{Target, TargetError};

/// rattler's own types that appear in the interface.
pub use rattler_conda_types::{MatchSpec, ParseStrictness, RepoDataRecord};
