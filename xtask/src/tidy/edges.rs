//! Rules for dependencies: which package may use which of ours, and what must
//! never be linked into the pure ones.
//!
//! Direct edges between our own packages come from `cargo metadata` and are
//! compared with one table. What a package links in the end comes from
//! `cargo tree`, for the target that it is built for.

use crate::process;
use crate::workspace::{Workspace, metadata};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;

/// Package, and which of our packages its product code may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("fogward-level0", &[]),
    ("device-drivers", &["fogward-level0"]),
    ("bluez-fake", &[]),
    ("bluez-rig", &[]),
    ("ledger-policy", &[]),
    ("ledger-core", &["ledger-policy"]),
    ("ledger-store", &["ledger-core"]),
    ("ledger-consortium", &["ledger-core", "ledger-store"]),
    (
        "ledger-sim",
        &["ledger-core", "ledger-store", "ledger-consortium"],
    ),
    ("fog-api", &["ledger-core"]),
    (
        "fog-node",
        &[
            "device-drivers",
            "fogward-level0",
            "ledger-policy",
            "ledger-core",
            "ledger-store",
            "ledger-consortium",
            "ledger-sim",
            "fog-api",
        ],
    ),
    ("fogward-ui", &["fog-api", "ledger-core", "ledger-policy"]),
    ("fogward-console", &["fog-node"]),
    ("xtask", &[]),
    ("e2e", &["device-drivers", "fogward-level0"]),
];

/// What one package must not link, directly or through others.
struct Ban {
    package: &'static str,
    target: Option<&'static str>,
    never: &'static [&'static str],
}

/// Chrono itself is not among them: Cedar reads dates with it. Its clock would bring in `iana-time-zone`.
const IO: &[&str] = &[
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "rusqlite",
    "libsqlite3-sys",
    "getrandom",
    "rand",
    "hyper",
    "axum",
    "tokio-serial",
    "serialport",
    "iana-time-zone",
    "time",
];

const BANS: &[Ban] = &[
    Ban {
        package: "ledger-core",
        target: None,
        never: IO,
    },
    Ban {
        package: "fog-api",
        target: None,
        never: IO,
    },
    Ban {
        package: "fogward-level0",
        target: None,
        never: IO,
    },
    Ban {
        package: "fogward-ui",
        target: Some("wasm32-unknown-unknown"),
        never: &[
            "tokio",
            "mio",
            "rusqlite",
            "libsqlite3-sys",
            "ledger-store",
            "ledger-consortium",
            "fog-node",
            "device-drivers",
        ],
    },
    Ban {
        package: "device-drivers",
        target: None,
        never: &[
            "ledger-core",
            "ledger-store",
            "ledger-consortium",
            "rusqlite",
        ],
    },
];

/// Every breach of both tables.
pub fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = metadata(&["--no-deps", "--locked"], &workspace.root)?;
    let mut findings = direct(&metadata)?;
    for ban in BANS {
        findings.extend(linked(ban, &tree(workspace, ban)?));
    }
    Ok(findings)
}

fn direct(metadata: &Value) -> Result<Vec<String>> {
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let ours: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("{name}: is in no row of the table of dependencies"));
            continue;
        };
        let used = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|used| ours.contains(used) && !allowed.contains(used));
        findings.extend(used.map(|used| format!("{name} may not use {used}")));
    }
    Ok(findings)
}

fn tree(workspace: &Workspace, ban: &Ban) -> Result<String> {
    let mut command = workspace.cargo(&["tree", "--locked", "--package", ban.package]);
    command.args(["--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    if let Some(target) = ban.target {
        command.args(["--target", target]);
    }
    process::output(&mut command)
}

fn linked(ban: &Ban, tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    ban.never
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| format!("{} links {name}", ban.package))
        .collect()
}

#[cfg(test)]
mod tests {
    //! Both tables on small invented graphs.
    use super::*;
    use serde_json::json;

    fn graph(package: &str, uses: &str, kind: Value) -> Value {
        json!({"packages": [
            {"name": package, "dependencies": [{"name": uses, "kind": kind}, {"name": "serde", "kind": null}]},
            {"name": "ledger-core", "dependencies": []},
            {"name": "ledger-store", "dependencies": []},
        ]})
    }

    #[test]
    fn edges_outside_the_table_are_found() {
        for (package, uses, kind, breaches) in [
            ("fogward-ui", "ledger-core", Value::Null, 0),
            ("fogward-ui", "ledger-store", Value::Null, 1),
            ("fogward-ui", "ledger-store", json!("build"), 1),
            ("fogward-ui", "ledger-store", json!("dev"), 0),
            ("device-drivers", "ledger-core", Value::Null, 1),
            ("newcomer", "serde", Value::Null, 1),
        ] {
            let found = direct(&graph(package, uses, kind)).unwrap();
            assert_eq!(found.len(), breaches, "{package} → {uses}: {found:?}");
        }
    }

    #[test]
    fn linked_packages_are_found_at_any_depth() {
        let tree = "ledger-core v0.1.0 (/somewhere)\njmt v0.12.0\ntokio v1.54.0 (*)\n";
        let ban = &BANS[0];
        assert_eq!(linked(ban, tree), ["ledger-core links tokio"]);
        assert!(linked(ban, "ledger-core v0.1.0\ntokio-like v1.0.0\n").is_empty());
    }
}
