//! Facts of the build for `hlswarm --version`.
//!
//! The commit comes from the variable `HLSWARM_COMMIT`, which the release workflow sets. Asking git instead would build
//! the crate again after each commit, and would need a repository.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=HLSWARM_COMMIT");
    let commit = env::var("HLSWARM_COMMIT").ok().filter(|commit| is_commit(commit));
    fact("COMMIT", &commit.unwrap_or_else(|| "unknown (HLSWARM_COMMIT was not set)".to_owned()));
    fact("TARGET", &env::var("TARGET").unwrap_or_default());
    fact("COMPILER", &compiler().unwrap_or_else(|| "unknown".to_owned()));
    fact("FEATURES", &features());
}

fn fact(name: &str, value: &str) {
    println!("cargo:rustc-env=HLSWARM_BUILD_{name}={value}");
}

fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the first line of `rustc --version`.
fn compiler() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

fn features() -> String {
    let named = env::vars().filter_map(|(name, _)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase()));
    let mut features: Vec<_> = named.filter(|name| name != "default").collect();
    features.sort();
    if features.is_empty() { "none".to_owned() } else { features.join(" ") }
}
