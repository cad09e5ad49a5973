use std::collections::BTreeMap;

use super::*;

/// The interpreters of this machine that the tests can use: a `pythonX.Y` and its folder.
fn interpreters() -> Vec<(PythonVersion, PathBuf)> {
    let versions = [
        (2, 7),
        (3, 6),
        (3, 7),
        (3, 8),
        (3, 9),
        (3, 10),
        (3, 11),
        (3, 12),
        (3, 13),
    ];
    let path = option_env!("PATH").unwrap_or_default();
    let home = option_env!("HOME").unwrap_or_default();
    let pyenv = fs_err::read_dir(Path::new(home).join(".pyenv/versions"));
    let pyenv = pyenv
        .into_iter()
        .flatten()
        .filter_map(|e| Some(e.ok()?.path().join("bin")));
    let folders = pyenv
        .chain(path.split(':').map(PathBuf::from))
        .collect::<Vec<_>>();
    let mut found = Vec::new();
    for (major, minor) in versions {
        let version = PythonVersion { major, minor };
        let interpreter = python::find(Path::new("/nowhere"), version, &folders);
        if let Some(interpreter) = interpreter {
            found.push((version, interpreter.path().parent().unwrap().to_owned()));
        }
    }
    if found.is_empty() {
        skipped();
    }
    found
}

#[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
fn skipped() {
    eprintln!("skipped: no Python on this machine");
}

fn environment(root: &Path, version: PythonVersion) -> Environment {
    Environment {
        prefix: "/opt/cloudera/parcels/T-1.0".to_owned(),
        root: fs_err::canonicalize(root).unwrap(),
        platform: "linux-64",
        packages: Vec::new(),
        python: Some(version),
        link_scripts: Vec::new(),
        clobbers: Vec::new(),
    }
}

const SOURCE: &str = "import os, sys\nNAMES = {'a', 'b', 'self', 'parcelctl-x'}\n\
     class A(object):\n    def f(self, x, *args):\n        '''doc'''\n        y = (x, 1, 2.5, 'os')\n\
    \x20       return [lambda: (x, y, z) for z in args if z in ('%', 'name', 10**20)]\n";

fn write_sources(root: &Path, version: PythonVersion) -> PathBuf {
    let library = root.join(format!("lib/python{version}"));
    fs_err::create_dir_all(library.join("site-packages/pkg/__pycache__")).unwrap();
    for n in 0..300 {
        fs_err::write(
            library.join(format!("m{n:03}.py")),
            format!("{SOURCE}N = {n}\n"),
        )
        .unwrap();
    }
    let package = library.join("site-packages/pkg");
    fs_err::write(package.join("__init__.py"), SOURCE).unwrap();
    fs_err::write(package.join("broken.py"), "def (:\n").unwrap();
    fs_err::write(package.join("alone.pyc"), "kept").unwrap();
    fs_err::write(package.join("__init__.pyo"), "stale").unwrap();
    fs_err::write(package.join("__pycache__/gone.cpython-399.pyc"), "stale").unwrap();
    fs_err::write(
        package.join("__pycache__/__init__.cpython-311.opt-1.pyc"),
        "stale",
    )
    .unwrap();
    library
}

fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walk::entries(root)
        .unwrap()
        .into_iter()
        .filter(|e| e.kind.is_file());
    entries
        .map(|e| {
            (
                e.path.strip_prefix(root).unwrap().to_owned(),
                fs_err::read(&e.path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn bytes_depend_on_neither_place_nor_workers() {
    for (version, folder) in interpreters() {
        let dir = tempfile::tempdir().unwrap();
        let mut results = Vec::new();
        for (place, workers) in [("a", 1), ("another/place", 4)] {
            let root = dir.path().join(place);
            fs_err::create_dir_all(&root).unwrap();
            write_sources(&root, version);
            let compiled = Compiler::new(1_700_000_000)
                .searching([&folder])
                .with_workers(NonZeroUsize::new(workers).unwrap())
                .compile(&environment(&root, version))
                .unwrap();
            assert_eq!(compiled.written.len(), 301, "{version}");
            assert_eq!(compiled.skipped.len(), 1, "{version}");
            assert_eq!(
                compiled.removed.len(),
                3,
                "{version}: {:?}",
                compiled.removed
            );
            let contents = contents(&root);
            let kept = format!("lib/python{version}/site-packages/pkg/alone.pyc");
            assert!(contents.contains_key(Path::new(&kept)), "{version}");
            results.push(contents);
        }
        for (path, bytes) in &results[0] {
            assert!(
                results[1].get(path) == Some(bytes),
                "{version}: {} differs",
                path.display()
            );
            let text = String::from_utf8_lossy(bytes);
            assert!(
                !text.contains(&*dir.path().to_string_lossy()),
                "{}",
                path.display()
            );
        }
        assert_eq!(results[0].len(), results[1].len());
    }
}

#[test]
fn bytes_do_not_depend_on_what_else_is_compiled() {
    for (version, folder) in interpreters() {
        let dir = tempfile::tempdir().unwrap();
        let library = write_sources(dir.path(), version);
        let compiler = Compiler::new(1_700_000_000).searching([&folder]);
        compiler.compile(&environment(dir.path(), version)).unwrap();
        let together = contents(&library);
        for n in 0..300 {
            if n != 217 {
                fs_err::remove_file(library.join(format!("m{n:03}.py"))).unwrap();
            }
        }
        compiler.compile(&environment(dir.path(), version)).unwrap();
        let alone = contents(&library);
        for (path, bytes) in alone {
            assert!(
                together[&path] == bytes,
                "{version}: {} differs",
                path.display()
            );
        }
    }
}

#[test]
fn the_interpreter_uses_what_was_compiled() {
    for (version, folder) in interpreters() {
        let dir = tempfile::tempdir().unwrap();
        let library = write_sources(dir.path(), version);
        let compiler = Compiler::new(1_700_000_000).searching([&folder]);
        compiler.compile(&environment(dir.path(), version)).unwrap();
        let output = std::process::Command::new(folder.join(format!("python{version}")))
            .env_clear()
            .args([
                "-v",
                "-S",
                "-c",
                "import m217; print(m217.A.f.__code__.co_filename)",
            ])
            .env("PYTHONPATH", &library)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let used = said.lines().any(|l| {
            l.contains("m217") && (l.contains("precompiled from") || l.contains("matches"))
        });
        assert!(used, "{version}: {said}");
    }
}

#[test]
fn an_environment_without_python_needs_no_interpreter() {
    let dir = tempfile::tempdir().unwrap();
    let mut environment = environment(
        dir.path(),
        PythonVersion {
            major: 3,
            minor: 11,
        },
    );
    environment.python = None;
    let compiled = Compiler::new(0).compile(&environment).unwrap();
    assert_eq!(compiled.interpreter, None);
}

#[test]
fn without_an_interpreter_the_error_says_which_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let environment = environment(
        dir.path(),
        PythonVersion {
            major: 3,
            minor: 99,
        },
    );
    let error = Compiler::new(0)
        .searching(["/nowhere"])
        .compile(&environment)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("there is no python3.99 in /nowhere"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("install python3.99"));
}

#[test]
fn nothing_is_written_through_a_link() {
    for (version, folder) in interpreters()
        .into_iter()
        .filter(|(v, _)| v.major == 3)
        .take(1)
    {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        let library = dir.path().join("root").join(format!("lib/python{version}"));
        fs_err::create_dir_all(&library).unwrap();
        fs_err::create_dir_all(&outside).unwrap();
        fs_err::write(outside.join("secret.py"), "x = 1\n").unwrap();
        fs_err::write(library.join("a.py"), "x = 1\n").unwrap();
        let link = |to: &Path, name: &str| {
            fs_err::os::unix::fs::symlink(to, library.join(name)).unwrap();
        };
        link(&outside, "__pycache__");
        link(&outside, "package");
        link(&outside.join("secret.py"), "secret.py");
        let environment = environment(&dir.path().join("root"), version);
        let compiled = Compiler::new(0)
            .searching([&folder])
            .compile(&environment)
            .unwrap();
        assert_eq!(compiled.written.len(), 1);
        assert_eq!(contents(&outside).len(), 1);
    }
}
