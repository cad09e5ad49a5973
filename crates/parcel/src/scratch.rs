//! Unfinished things: files and directories that vanish unless they are finished.
//!
//! A file that exists under its own name is complete, because it was written under a scratch name
//! in the same directory, synced and renamed. A scratch thing is removed when it is dropped, by
//! [`sweep`] when a signal ends the program, and, after a kill that nothing can catch, by the next
//! one that works in the same directory: whoever uses a scratch thing holds a lock on it, and what
//! is not locked is rubbish.

use std::collections::BTreeSet;
use std::fs::{File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags};

/// What the name of every scratch file and directory begins with. The dot keeps agents, which scan
/// the parcels directory, from taking it for a parcel.
const PREFIX: &str = ".parcelctl-";

/// What this process has to remove when it ends before its time.
struct Live {
    /// Scratch files and directories.
    scratch: BTreeSet<PathBuf>,
    /// Directories that go if they are empty, outer ones before those in them.
    made: Vec<PathBuf>,
}

static LIVE: Mutex<Live> = Mutex::new(Live {
    scratch: BTreeSet::new(),
    made: Vec::new(),
});
/// Held while names change that must change all or not at all.
static WHOLE: Mutex<()> = Mutex::new(());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often, and after what pause, something is tried again that other threads or processes may
/// have come between.
const MOST_TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(5);
/// How long the work that a signal ends has to fail.
const GRACE: Duration = Duration::from_millis(50);

/// The list of what to sweep. Once it was swept, nobody else gets it: what is made is in the list
/// before this is let go, so nothing comes to be that the sweep does not see.
fn live() -> MutexGuard<'static, Live> {
    let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    if interrupted() {
        drop(live);
        wait_if_interrupted();
        unreachable!("who was interrupted waits for ever");
    }
    live
}

/// Whether [`sweep`] was called: the process is about to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Waits for the end of the process if [`sweep`] was called. What fails then fails because its
/// files went, and is not worth a word.
pub fn wait_if_interrupted() {
    while interrupted() {
        std::thread::park();
    }
}

/// Keeps [`sweep`] from coming between changes that must happen all or not at all.
pub(crate) fn whole() -> MutexGuard<'static, ()> {
    let guard = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
    if interrupted() {
        drop(guard);
        wait_if_interrupted();
        unreachable!("who was interrupted waits for ever");
    }
    guard
}

/// Removes every scratch file and directory of this process, and the directories that were made
/// for them: for a signal handler's thread, just before it ends the process. From now on, whoever
/// wants to begin or to end a scratch thing waits for ever.
pub fn sweep() {
    INTERRUPTED.store(true, Ordering::SeqCst);
    let _whole = WHOLE.lock().unwrap_or_else(PoisonError::into_inner);
    let (scratch, made) = {
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        (
            std::mem::take(&mut live.scratch),
            std::mem::take(&mut live.made),
        )
    };
    // Other threads still work on them. All are stopped first, so that none fills a disk while
    // another is being removed.
    let stopped: Vec<_> = scratch.iter().filter_map(|path| move_away(path)).collect();
    for (away, _) in &stopped {
        remove_surely(away);
    }
    // What stands in their place goes when the others had time to fail at it, and once more for
    // those who were between two steps: whoever makes directories anew stops at the next step.
    for _ in 0..2 {
        std::thread::sleep(GRACE);
        for path in &scratch {
            remove_surely(path);
        }
    }
    for directory in made.iter().rev() {
        // Fails where something is in it, and should.
        let _ = fs_err::remove_dir(directory);
    }
}

/// Gives a scratch directory another name and puts a file in its place, so that nobody finds it,
/// nor makes it anew. The file is locked while it is held: others would take it for rubbish.
fn move_away(path: &Path) -> Option<(PathBuf, Option<File>)> {
    if !path.symlink_metadata().is_ok_and(|there| there.is_dir()) {
        return None;
    }
    // The name is still a scratch thing's: should it survive, the next one removes it.
    let mut away = path.as_os_str().to_owned();
    away.push(".gone");
    let away = PathBuf::from(away);
    let locked = |path: &Path| {
        let file = File::create_new(path).ok()?;
        let _ = file.try_lock();
        Some(file)
    };
    let mut place_holder = locked(&away);
    let exchanged = place_holder.is_some()
        && rustix::fs::renameat_with(CWD, path, CWD, &away, RenameFlags::EXCHANGE).is_ok();
    if !exchanged {
        // Some file systems cannot exchange, and on a full disk there is no file.
        let _ = fs_err::remove_file(&away);
        fs_err::rename(path, &away).ok()?;
        place_holder = locked(path);
    }
    Some((away, place_holder))
}

/// Removes what other threads may be working on.
fn remove_surely(path: &Path) {
    for _ in 0..MOST_TRIES {
        remove(path);
        if path.symlink_metadata().is_err() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

fn remove(path: &Path) {
    // Whatever cannot be removed now is removed by the next one that works here.
    let _ = match fs_err::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(path),
        _ => fs_err::remove_file(path),
    };
}

/// Directories that were missing and were made, on the way to where something will be put. They go
/// again, if they are empty, when this is dropped or a signal ends the program.
#[derive(Debug, Default)]
pub struct MadeDirectories(Vec<PathBuf>);

impl MadeDirectories {
    /// Makes a directory in one that is there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or is there already.
    pub fn make(&mut self, directory: &Path) -> io::Result<()> {
        let mut live = live();
        fs_err::create_dir(directory)?;
        live.made.push(directory.to_owned());
        self.0.push(directory.to_owned());
        Ok(())
    }
}

impl Drop for MadeDirectories {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // Fails where something was put in it, and should.
            let _ = fs_err::remove_dir(directory);
        }
        if !self.0.is_empty() {
            live().made.retain(|made| !self.0.contains(made));
        }
    }
}

/// A file that one process at a time has. It goes with whoever has it.
#[derive(Debug)]
pub(crate) struct LockFile(Claim);

impl LockFile {
    /// Waits for the file at a path, and makes it where it is missing. Nobody else can open it, so
    /// nobody who may not have it can keep others waiting.
    pub(crate) fn wait(path: &Path) -> io::Result<Self> {
        let mut waited = None;
        loop {
            let mut live = live();
            let (file, locked) = if let Some(file) = waited.take() {
                (file, true)
            } else {
                let mut open = File::options();
                open.read(true).write(true).create(true).mode(0o600);
                let file = open.open(path)?;
                let locked = !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
                (file, locked)
            };
            if !locked {
                // Not while holding what the sweep needs.
                drop(live);
                while file
                    .lock()
                    .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
                {
                }
                waited = Some(file);
                continue;
            }
            // Who had it before us has removed it; then it is no longer the one that others see.
            let ours = file.metadata()?;
            match path.symlink_metadata() {
                Ok(seen) if (seen.dev(), seen.ino()) == (ours.dev(), ours.ino()) => {}
                Ok(_) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            let path = path.to_owned();
            live.scratch.insert(path.clone());
            return Ok(Self(Claim { path, _lock: file }));
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = fs_err::remove_file(&self.0.path);
    }
}

/// Removes what killed processes left in a directory.
fn clear_abandoned(directory: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        if !entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(PREFIX.as_bytes())
        {
            continue;
        }
        // Only these are made here, and opening a named pipe would block.
        let file_type = entry.file_type()?;
        if !file_type.is_file() && !file_type.is_dir() {
            continue;
        }
        // A lock that can be had belongs to nobody. What cannot be opened is not ours to judge.
        let Ok(file) = File::options().read(true).open(entry.path()) else {
            continue;
        };
        if file.try_lock().is_ok() {
            remove(&entry.path());
        }
    }
    Ok(())
}

/// That a scratch thing is in use: its lock, and its place in the list of what to sweep.
#[derive(Debug)]
struct Claim {
    path: PathBuf,
    _lock: File,
}

impl Claim {
    /// Runs `create` until what it made is locked by us and still there: between making and
    /// locking, another process may have taken it for rubbish.
    fn on<T>(
        create: impl Fn() -> io::Result<T>,
        path: impl Fn(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        // Until it is in the list, no sweep may begin.
        let mut live = live();
        for _ in 0..MOST_TRIES {
            let made = create()?;
            let lock = match File::options().read(true).open(path(&made)) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // Where a file system knows no locks, nobody can get one and take this for rubbish.
            // Where somebody else has it, it is about to go.
            if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                continue;
            }
            if path(&made).exists() {
                let path = path(&made).to_owned();
                live.scratch.insert(path.clone());
                return Ok((made, Self { path, _lock: lock }));
            }
        }
        Err(io::Error::other(
            "another process takes every unfinished file for its own",
        ))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        live().scratch.remove(&self.path);
    }
}

/// Not enough room for what is certain to be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} has {free_bytes} bytes free, and at least {needed_bytes} are needed", directory.display())]
pub struct NoRoom {
    /// Where there is no room.
    pub directory: PathBuf,
    /// How much there is.
    pub free_bytes: u64,
    /// How much is needed at the very least.
    pub needed_bytes: u64,
}

/// Makes sure that there is room in a directory before long work begins.
///
/// # Errors
///
/// An error of kind [`io::ErrorKind::StorageFull`] that holds a [`NoRoom`].
pub fn ensure_room(directory: &Path, needed_bytes: u64) -> io::Result<()> {
    let system = rustix::fs::statvfs(directory)?;
    let free_bytes = system.f_bavail.saturating_mul(system.f_frsize);
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    let error = NoRoom {
        directory: directory.to_owned(),
        free_bytes,
        needed_bytes,
    };
    Err(io::Error::new(io::ErrorKind::StorageFull, error))
}

/// A file that is being written.
#[derive(Debug)]
pub struct ScratchFile {
    file: tempfile::NamedTempFile,
    _claim: Claim,
}

impl ScratchFile {
    /// Begins a file in the directory where it will stay. Its mode is what the process's umask
    /// makes of 0666.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written to.
    pub fn create_in(directory: &Path) -> io::Result<Self> {
        clear_abandoned(directory)?;
        let create = || {
            tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o666))
                .tempfile_in(directory)
        };
        let (file, claim) = Claim::on(create, tempfile::NamedTempFile::path)?;
        Ok(Self {
            file,
            _claim: claim,
        })
    }

    /// Makes what was written so far durable, so that [`finish`](Self::finish) has little left to
    /// fail at.
    ///
    /// # Errors
    ///
    /// When it cannot be synced.
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// The file is complete: makes it durable and gives it its name, over whatever had it.
    ///
    /// # Errors
    ///
    /// When it cannot be synced or renamed; then it is removed.
    pub fn finish(self, target: &Path) -> io::Result<()> {
        self.sync()?;
        wait_if_interrupted();
        self.file.persist(target).map_err(|error| error.error)?;
        sync_parent(target)
    }
}

impl Write for ScratchFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole small file at once, under the promise of [`ScratchFile`].
///
/// # Errors
///
/// When it cannot be written.
pub fn write_file(target: &Path, content: &[u8]) -> io::Result<()> {
    let directory = target.parent().unwrap_or(Path::new("."));
    let mut file = ScratchFile::create_in(directory)?;
    file.write_all(content)?;
    file.finish(target)
}

/// Makes the names in a file's directory durable.
fn sync_parent(target: &Path) -> io::Result<()> {
    let parent = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::options()
        .read(true)
        .open(parent.unwrap_or(Path::new(".")))?
        .sync_all()
}

/// A directory in which work is done.
#[derive(Debug)]
pub struct ScratchDirectory {
    directory: tempfile::TempDir,
    _claim: Claim,
}

impl ScratchDirectory {
    /// Begins a directory, readable by its owner only.
    ///
    /// # Errors
    ///
    /// When the directory that holds it cannot be written to.
    pub fn create_in(directory: &Path) -> io::Result<Self> {
        clear_abandoned(directory)?;
        let create = || {
            tempfile::Builder::new()
                .prefix(PREFIX)
                .tempdir_in(directory)
        };
        let (directory, claim) = Claim::on(create, tempfile::TempDir::path)?;
        Ok(Self {
            directory,
            _claim: claim,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs_err::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn too_little_room_is_told_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        ensure_room(folder.path(), 1).unwrap();
        let error = ensure_room(folder.path(), u64::MAX).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().contains(&u64::MAX.to_string()), "{error}");
    }

    #[test]
    fn a_file_appears_only_when_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        let mut file = ScratchFile::create_in(folder.path()).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!target.exists());
        drop(file);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        write_file(&target, b"whole").unwrap();
        assert_eq!(names(folder.path()), ["x"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_holds_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let living = ScratchDirectory::create_in(folder.path()).unwrap();
        fs_err::create_dir_all(folder.path().join(".parcelctl-dead/x")).unwrap();
        fs_err::write(folder.path().join(".parcelctl-deadfile"), "x").unwrap();
        fs_err::write(folder.path().join("mine"), "x").unwrap();
        let second = ScratchDirectory::create_in(folder.path()).unwrap();
        assert!(living.path().exists() && second.path().exists());
        assert_eq!(names(folder.path()).len(), 3);
    }
}
