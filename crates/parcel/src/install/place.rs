//! Where a parcel goes under a root.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::sync::MutexGuard;

use super::receipt::Receipt;
use crate::scratch::{self, LockFile, MadeDirectories};

/// Where agents keep unpacked parcels.
pub const PARCELS_DIRECTORY: &str = "/opt/cloudera/parcels";

/// As many links as Linux follows in one path before it gives up.
const MOST_LINKS: u32 = 40;

/// The parcels directory, where it really is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// They go again if they stay empty: a failed installation leaves the root as it was.
    made: MadeDirectories,
}

impl Place {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the parcels directory under a root where it is missing.
///
/// `/opt/cloudera/parcels` may be a mount or a link to another disk. A link in an image is meant
/// as seen from inside: `/data/parcels` is `ROOT/data/parcels`, never the build machine's.
pub(super) fn prepare(root: &Path, parcels_directory: &Path) -> io::Result<Place> {
    let root = fs_err::canonicalize(root)?;
    again_if_missing(|| try_prepare(&root, parcels_directory))
}

/// Does again what failed because something was missing: another installation that failed may have
/// removed an empty directory that it had made and this one had found.
pub(super) fn again_if_missing<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    const MOST_TRIES: u32 = 100;
    for _ in 1..MOST_TRIES {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::thread::yield_now(),
            result => return result,
        }
    }
    attempt()
}

fn try_prepare(root: &Path, parcels_directory: &Path) -> io::Result<Place> {
    let mut place = Place {
        path: root.to_owned(),
        made: MadeDirectories::default(),
    };
    let at = &mut place.path;
    let mut links = 0;
    let mut rest: Vec<PathBuf> = parts(parcels_directory);
    while let Some(part) = rest.pop() {
        match part.components().next() {
            Some(Component::ParentDir) if at != root => {
                at.pop();
            }
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                match fs_err::symlink_metadata(&next) {
                    Ok(metadata) if metadata.is_symlink() => {
                        links += 1;
                        if links > MOST_LINKS {
                            let message = format!("{}: too many links", next.display());
                            return Err(io::Error::other(message));
                        }
                        let target = fs_err::read_link(&next)?;
                        if target.is_absolute() {
                            root.clone_into(at);
                        }
                        rest.extend(parts(&target));
                    }
                    Ok(_) => *at = next,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        match place.made.make(&next) {
                            // Another installation made it just now: look again what it is.
                            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                                rest.push(part);
                                continue;
                            }
                            result => result?,
                        }
                        // Whatever the umask: everyone on a host runs what is in it.
                        fs_err::set_permissions(&next, Permissions::from_mode(0o755))?;
                        *at = next;
                    }
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
    }
    Ok(place)
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<PathBuf> {
    path.components()
        .rev()
        .map(|part| PathBuf::from(part.as_os_str()))
        .collect()
}

/// What making a link at a path comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The link is there already.
    There,
    /// The link was made beside; [`Moves::rename`] gives it its place, over a link that is there, so
    /// that there is never a moment without one.
    Beside(PathBuf),
    /// Something that is not a link stands there.
    Blocked,
}

/// Makes a link that will stand at `path` and lead to `target`.
pub(super) fn link(path: &Path, target: &str, scratch: &Path) -> io::Result<Link> {
    match fs_err::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_symlink() => return Ok(Link::Blocked),
        Ok(_) if fs_err::read_link(path)? == Path::new(target) => return Ok(Link::There),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let beside = scratch.join(".link");
    symlink(target, &beside)?;
    Ok(Link::Beside(beside))
}

/// Changes of names that happen all or not at all: dropped before [`keep`](Self::keep), they are
/// undone, last one first.
#[derive(Debug)]
pub(super) struct Moves {
    done: Vec<Move>,
    /// No signal ends the program in the middle.
    _whole: MutexGuard<'static, ()>,
}

#[derive(Debug)]
enum Move {
    Renamed { from: PathBuf, to: PathBuf },
    Exchanged { new: PathBuf, old: PathBuf },
}

impl Moves {
    pub(super) fn begin() -> Self {
        Self {
            done: Vec::new(),
            _whole: scratch::whole(),
        }
    }

    /// Gives a file, a directory or a link another name.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs_err::rename(from, to)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        self.done.push(Move::Renamed { from, to });
        Ok(())
    }

    /// Puts the directory `new` in the place of `old`, and `old` in the place of `new`.
    pub(super) fn exchange(&mut self, new: &Path, old: &Path) -> io::Result<()> {
        exchange(new, old)?;
        let (new, old) = (new.to_owned(), old.to_owned());
        self.done.push(Move::Exchanged { new, old });
        Ok(())
    }

    /// All of them succeeded.
    pub(super) fn keep(mut self) {
        self.done.clear();
    }
}

impl Drop for Moves {
    fn drop(&mut self) {
        for done in self.done.drain(..).rev() {
            let _ = match done {
                Move::Renamed { from, to } => fs_err::rename(to, from),
                Move::Exchanged { new, old } => exchange(&new, &old),
            };
        }
    }
}

/// That no other installation changes names in the parcels directory. Dropped, it leaves nothing
/// behind but what was put beside the lock.
#[derive(Debug)]
pub(super) struct Turn {
    _lock: LockFile,
    _made: MadeDirectories,
}

/// Waits for the turn. The lock is a file that only who may install can open: the parcels directory
/// itself can be opened, and so locked, by everyone.
pub(super) fn turn(parcels: &Path) -> io::Result<Turn> {
    again_if_missing(|| {
        let directory = Receipt::directory(parcels);
        let mut made = MadeDirectories::default();
        match made.make(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => result?,
        }
        Ok(Turn {
            _lock: LockFile::wait(&directory.join("lock"))?,
            _made: made,
        })
    })
}

fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    // Some file systems cannot exchange; then there is a moment with neither.
    let aside = new.with_file_name(".old");
    fs_err::rename(old, &aside)?;
    if let Err(error) = fs_err::rename(new, old) {
        fs_err::rename(&aside, old)?;
        return Err(error);
    }
    fs_err::rename(&aside, new)
}

/// Makes everything durable that was written to the file system of a directory.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    let directory: File = fs_err::File::open(directory)?.into();
    Ok(rustix::fs::syncfs(&directory)?)
}

/// Makes one file durable.
pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    fs_err::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_an_image_is_followed_inside_the_image() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(root.path().join("opt/cloudera")).unwrap();
        fs_err::create_dir_all(root.path().join("data")).unwrap();
        symlink("/data/parcels", root.path().join("opt/cloudera/parcels")).unwrap();
        let place = prepare(root.path(), Path::new(PARCELS_DIRECTORY)).unwrap();
        assert_eq!(
            place.path(),
            fs_err::canonicalize(root.path())
                .unwrap()
                .join("data/parcels")
        );
        assert!(place.path().is_dir());
    }

    #[test]
    fn a_link_that_climbs_out_stays_in_the_image() {
        let root = tempfile::tempdir().unwrap();
        symlink("../../../../..", root.path().join("opt")).unwrap();
        let place = prepare(root.path(), Path::new("/opt/parcels")).unwrap();
        assert_eq!(
            place.path(),
            fs_err::canonicalize(root.path()).unwrap().join("parcels")
        );
    }

    #[test]
    fn directories_that_stay_empty_are_removed_again() {
        let root = tempfile::tempdir().unwrap();
        fs_err::create_dir(root.path().join("opt")).unwrap();
        drop(prepare(root.path(), Path::new(PARCELS_DIRECTORY)).unwrap());
        assert!(root.path().join("opt").exists());
        assert!(!root.path().join("opt/cloudera").exists());
    }

    #[test]
    fn two_directories_are_exchanged() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        fs_err::create_dir_all(new.join("n")).unwrap();
        fs_err::create_dir_all(old.join("o")).unwrap();
        exchange(&new, &old).unwrap();
        assert!(old.join("n").exists() && new.join("o").exists());
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let root = tempfile::tempdir().unwrap();
        symlink("opt", root.path().join("opt")).unwrap();
        let error = prepare(root.path(), Path::new("/opt/parcels")).unwrap_err();
        assert!(error.to_string().contains("too many links"), "{error}");
    }

    #[test]
    fn an_active_link_never_takes_the_place_of_a_real_directory() {
        let parcels = tempfile::tempdir().unwrap();
        let path = parcels.path().join("A");
        for version in ["A-1", "A-2"] {
            let Link::Beside(beside) = link(&path, version, parcels.path()).unwrap() else {
                panic!("no link was made to {version}");
            };
            let mut moves = Moves::begin();
            moves.rename(&beside, &path).unwrap();
            moves.keep();
            assert_eq!(fs_err::read_link(&path).unwrap(), Path::new(version));
            let again = link(&path, version, parcels.path()).unwrap();
            assert_eq!(again, Link::There);
        }
        fs_err::create_dir(parcels.path().join("B")).unwrap();
        assert_eq!(
            link(&parcels.path().join("B"), "B-1", parcels.path()).unwrap(),
            Link::Blocked
        );
    }

    #[test]
    fn moves_that_are_not_kept_are_undone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::create_dir_all(at("new/n")).unwrap();
        fs_err::create_dir_all(at("old/o")).unwrap();
        fs_err::write(at("a"), "").unwrap();
        let mut moves = Moves::begin();
        moves.rename(&at("a"), &at("b")).unwrap();
        moves.exchange(&at("new"), &at("old")).unwrap();
        drop(moves);
        assert!(at("new/n").exists() && at("old/o").exists() && at("a").exists());
        assert!(!at("b").exists());
    }
}
