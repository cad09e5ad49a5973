//! What `validate` says, in every form; `rules` and `explain`.

use crate::support::{Outcome, Place, snapshot};

/// A document with an error, two warnings and something in a wrong place.
const PARCEL_JSON: &str = r#"{
  "schema_version": 1,
  "name": "Ana-conda",
  "version": "__VERSION__",
  "setActiveSymlink": "true",
  "scripts": { "defines": "env.sh" },
  "packages": [],
  "components": [],
  "provide": [],
  "users": {},
  "groups": []
}
"#;

fn validate(options: &str) -> Outcome {
    let place = Place::new();
    place.write("meta/parcel.json", PARCEL_JSON);
    place.run(&format!("validate meta/parcel.json {options}"))
}

#[test]
fn for_people_with_the_line_and_a_caret() {
    snapshot!(validate(""));
}

#[test]
fn for_programs_as_one_object() {
    let outcome = validate("--format json");
    let report = outcome.json();
    assert_eq!(report["version"], 1);
    let subject = &report["subjects"][0];
    assert_eq!(subject["verdict"], "fail");
    assert_eq!(subject["kind"], "parcel-json");
    let findings = subject["findings"].as_array().unwrap();
    let finding = findings
        .iter()
        .find(|finding| finding["code"] == "N103")
        .unwrap();
    assert_eq!(finding["rule"], "name-has-dash");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["pointer"], "/name");
    assert_eq!(finding["line"], 3);
    snapshot!(outcome);
}

#[test]
fn for_github_as_annotations() {
    snapshot!(validate("--format github"));
}

#[test]
fn for_code_scanning_as_sarif_that_its_schema_knows() {
    let outcome = validate("--format sarif");
    // These types are generated from the schema of SARIF 2.1.0. What they do not know they drop,
    // so what comes back whole is as the schema says.
    let log: serde_sarif::sarif::Sarif = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(serde_json::to_value(&log).unwrap(), outcome.json());
    let run = &outcome.json()["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
}

#[test]
fn severities_are_the_users_to_set() {
    let status = |options: &str| validate(options).code.unwrap();
    assert_eq!(status(""), 1);
    assert_eq!(status("--warn N103 --warn D105"), 0);
    assert_eq!(
        status("--warn N103 --warn D105 --error placeholder-left"),
        1
    );
    assert_eq!(
        status("--allow N103 --allow D105 --allow D114 --allow D102"),
        0
    );
    snapshot!(validate("--allow X999"));
}

#[test]
fn every_rule_is_listed_and_explained() {
    let place = Place::new();
    let list = place.run("rules --format json").done().json();
    assert_eq!(list["version"], 1);
    let rules = list["rules"].as_array().unwrap();
    assert!(rules.len() > 100);
    for rule in rules {
        let code = rule["code"].as_str().unwrap();
        let text = place.run(&format!("explain {code}")).done().stdout;
        assert!(text.starts_with(&format!("# {code} ")), "{text}");
        assert!(text.contains("How to fix"), "{code}");
    }
    snapshot!(place.run("explain name-has-dash"));
    snapshot!(place.run("explain nonsense"));
}
