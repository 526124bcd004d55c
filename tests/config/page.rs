//! `config.yaml`, as the program prints it.

use std::path::Path;

use retinamark::config::Config;

/// `a.b.c` of every value below `tree`; lists count as one value.
fn keys(tree: &serde_yaml::Value, path: &str, out: &mut Vec<String>) {
    match tree.as_mapping() {
        Some(map) if !map.is_empty() => {
            for (key, value) in map {
                keys(value, &format!("{path}.{}", key.as_str().unwrap()), out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

fn sorted_keys(yaml: &str) -> Vec<String> {
    let mut out = Vec::new();
    keys(&serde_yaml::from_str(yaml).unwrap(), "", &mut out);
    out.sort();
    out
}

#[test]
fn config_yaml_lists_every_key_with_its_default() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let defaults = Config::default();
    assert_eq!(
        sorted_keys(&text),
        sorted_keys(&defaults.to_yaml().unwrap())
    );
    assert_eq!(Config::load(Some(&file), &[]).unwrap(), defaults);
}

#[test]
fn config_yaml_is_what_the_settings_say_of_themselves() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.yaml");
    let text = Config::defaults_for_people().unwrap();
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap();
    let lines = there.lines().zip(text.lines());
    for (number, (there, here)) in (1..).zip(lines) {
        assert_eq!(
            there, here,
            "line {number}; write it anew: retinamark config --defaults"
        );
    }
    assert_eq!(there, text);
}

/// Each block of comments that begins with a kind, as the section that it stands in has it.
#[test]
fn kinds_in_comments_of_config_yaml_have_their_defaults() {
    let text = Config::defaults_for_people().unwrap();
    let mut found = Vec::new();
    let mut section = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let key = line.trim_start().split(':').next().unwrap();
        let depth = (line.len() - line.trim_start().len()) / 2;
        let Some(kind) = line.trim_start().strip_prefix("# kind: ") else {
            let code = line.split("# ").next().unwrap().trim_end();
            if code.ends_with(':') {
                section.truncate(depth);
                section.push(key.to_owned());
            }
            continue;
        };
        let mut yaml = format!("kind: {kind}");
        while let Some(own) = lines.next_if(|next| {
            let next = next.trim_start();
            next.starts_with("# ") && !next.starts_with("# kind: ")
        }) {
            yaml += &format!("\n{}", own.trim_start().strip_prefix("# ").unwrap());
        }
        section.truncate(depth);
        let mut whole = yaml;
        for name in section.iter().rev() {
            let inner: String = whole.lines().map(|line| format!("  {line}\n")).collect();
            whole = format!("{name}:\n{inner}");
        }
        let kind = kind.split(' ').next().unwrap();
        let named = format!("{}.kind={kind}", section.join("."));
        let expected = Config::load(None, &[named]).unwrap();
        assert_eq!(Config::from_yaml(&whole).unwrap(), expected, "{whole}");
        found.push(kind.to_owned());
    }
    for kind in ["sgd", "ftrl", "one_cycle", "awing"] {
        assert!(
            found.iter().any(|name| name == kind),
            "{kind} not in {found:?}"
        );
    }
}

#[test]
fn the_commented_examples_of_config_yaml_are_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.yaml");
    let text = std::fs::read_to_string(file).unwrap();
    let example = |from: &str, value: &str| {
        let lines = text.lines().skip_while(|l| l.trim() != from).skip(1);
        let lines = lines.take_while(|l| l.starts_with("  #   "));
        let body: Vec<String> = lines.map(|l| l.replacen("  # ", "  ", 1)).collect();
        assert!(body.len() > 5, "no example after {from:?}");
        format!("{value}\n{}\n", body.join("\n"))
    };
    let data = example("# train:", "data:\n  train:");
    assert_eq!(Config::from_yaml(&data).unwrap().data.train.len(), 2);
    let custom = example("# custom:", "landmarks:\n  scheme: custom\n  custom:");
    let scheme = Config::from_yaml(&custom).unwrap().landmarks.scheme();
    assert_eq!(scheme.unwrap().len(), 6);
}
