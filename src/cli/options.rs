//! Options of a command, as a plan file and the environment name them.

use clap::{Arg, CommandFactory as _};

use super::Cli;

/// Options that a file cannot have: they ask for something else than a run.
const NOT_OF_FILE: [&str; 4] = ["help", "version", "print-plan", "json"];

/// Value of `--metrics` without one.
pub(super) const METRICS: &str = "127.0.0.1:17091";
/// Value of `--abort-on-fail` without one.
pub(super) const ABORT_GRACE: &str = "10s";
/// Value of `--no-cache` without one.
pub(super) const NO_CACHE: &str = "header";
/// Options that may be given without a value, and the value that they then have.
const WITHOUT_VALUE: [(&str, &str); 3] =
    [("metrics", METRICS), ("abort-on-fail", ABORT_GRACE), ("no-cache", NO_CACHE)];

/// Returns the value of an option that is given without one; `None` if it needs a value or takes none.
pub(super) fn without_value(option: &Arg) -> Option<&'static str> {
    let known = WITHOUT_VALUE.iter().find(|(name, _)| option.get_long() == Some(name));
    known.map(|(_, value)| *value)
}

/// Returns why this build lacks an option that others have.
pub(super) fn not_built(name: &str) -> Option<&'static str> {
    let is_of_otlp = ["otlp", "otlp-interval"].contains(&name) && !cfg!(feature = "otlp");
    is_of_otlp.then_some("this build has no OTLP export: build with --features otlp")
}

/// The options of a command.
pub(super) struct Options(clap::Command);

impl Options {
    /// Returns the options of this command.
    pub(super) fn of(command: &str) -> Self {
        let mut all = Cli::command();
        all.build();
        Self(all.find_subcommand(command).cloned().unwrap_or_default())
    }

    /// Returns all options, without positional arguments.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arg> {
        self.0.get_arguments().filter(|option| option.get_long().is_some())
    }

    /// Returns the options that a plan file can have.
    pub(super) fn of_files(&self) -> impl Iterator<Item = &Arg> {
        self.all().filter(|option| option.get_long().is_some_and(|name| !NOT_OF_FILE.contains(&name)))
    }

    /// Returns their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.of_files().filter_map(Arg::get_long)
    }

    /// Returns the option of this key of a plan file.
    pub(super) fn of_file(&self, key: &str) -> Option<&Arg> {
        self.named(key).filter(|_| !NOT_OF_FILE.contains(&key))
    }

    /// Returns the option with this long name, or this other spelling of it: a variable has no dot in its name.
    pub(super) fn named(&self, name: &str) -> Option<&Arg> {
        let is_alias = |option: &&Arg| option.get_aliases().is_some_and(|aliases| aliases.contains(&name));
        self.all().find(|option| option.get_long() == Some(name)).or_else(|| self.all().find(is_alias))
    }

    /// Reports whether one of two options replaces the other.
    pub(super) fn excludes(&self, one: &Arg, other: &Arg) -> bool {
        let conflicts = |one: &Arg, other: &Arg| {
            self.0.get_arg_conflicts_with(one).iter().any(|found| found.get_id() == other.get_id())
        };
        one.get_id() == other.get_id() || conflicts(one, other) || conflicts(other, one)
    }
}
