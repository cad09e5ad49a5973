use super::*;

fn parse(text: &str) -> Result<EnvironmentSpec, SpecError> {
    EnvironmentSpec::parse(text, Path::new("/recipe/py311.yml"))
}

fn kind(text: &str, name: &str) -> Unsupported {
    match EnvironmentSpec::parse(text, &Path::new("/recipe").join(name)) {
        Err(SpecError::Unsupported { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_an_environment_yml() {
    let spec = parse(
        "name: py311\nchannels: [conda-forge, nodefaults]\nprefix: /home/me/py311\n\
         dependencies:\n  - python=3.11\n  - numpy >=1.26,<3\n  - 'pandas'\n",
    )
    .unwrap();
    assert_eq!(spec.name(), Some("py311"));
    assert_eq!(spec.channels().len(), 1);
    let shown = spec
        .specs()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert_eq!(shown, ["python 3.11.*", "numpy >=1.26,<3", "pandas"]);
}

#[test]
fn a_bad_spec_is_shown_with_its_line() {
    let error = parse("dependencies:\n  - python=3.11  # ours\n  - \"numpy >>1\"\n");
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "/recipe/py311.yml:3: `numpy >>1` is not a package spec"
    );
    assert!(error.hint().is_some());
}

#[test]
fn a_glob_is_not_a_package() {
    assert!(matches!(
        parse("dependencies: ['numpy*']"),
        Err(SpecError::Spec { .. })
    ));
}

#[test]
fn a_bad_channel_is_shown_with_its_line() {
    let error = parse("channels:\n  - conda-forge\n  - ./gone\ndependencies: [python]\n");
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("/recipe/py311.yml:3: ")
    );
}

#[test]
fn broken_yaml_is_shown_with_its_line() {
    let error = parse("dependencies:\n  - python\n - numpy\n").unwrap_err();
    assert!(
        error.to_string().starts_with("/recipe/py311.yml:"),
        "{error}"
    );
    assert!(matches!(
        parse("dependencies: python"),
        Err(SpecError::Syntax { .. })
    ));
    assert!(matches!(
        parse("dependencies: [[python]]"),
        Err(SpecError::Syntax { .. })
    ));
}

#[test]
fn an_environment_without_packages_is_refused() {
    for text in [
        "channels: [conda-forge]",
        "dependencies: []",
        "dependancies: [python]",
    ] {
        assert!(
            matches!(parse(text), Err(SpecError::Empty { .. })),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_supported_is_named_with_its_line() {
    let error = parse("dependencies:\n  - pip\n  - pip:\n      - requests\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "/recipe/py311.yml:3: a list of pip packages is not yet supported"
    );
    let error = parse("variables:\n  A: b\ndependencies: [python]\n").unwrap_err();
    assert!(matches!(
        error,
        SpecError::Unsupported {
            what: Unsupported::Variables,
            ..
        }
    ));
}

#[test]
fn other_files_are_recognised() {
    assert_eq!(
        kind("@EXPLICIT\nhttps://x/y.conda\n", "a.txt"),
        Unsupported::Explicit
    );
    assert_eq!(
        kind("requests==2.0\n", "requirements.txt"),
        Unsupported::Requirements
    );
    assert_eq!(
        kind("version: 6\nenvironments:\n", "some.yml"),
        Unsupported::PixiLock
    );
    assert_eq!(
        kind("version: 1\nmetadata:\npackage:\n", "x.yml"),
        Unsupported::CondaLock
    );
    assert_eq!(kind("[project]\n", "pyproject.toml"), Unsupported::Project);
}
