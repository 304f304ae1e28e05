//! State shared by the readers of both kinds: the current line, findings, variables, the tags of section 4.4.2.

use std::borrow::Cow;

use crate::vocabulary::{Finding, limits, outcome::Fault};

use super::{
    ParseError,
    attributes::{Attributes, integer},
};
use crate::hls::{
    media::Start,
    playlist_finding::PlaylistFindings,
    variables::{Context, Variables, undefined},
};

/// Highest defined protocol version (section 8).
const VERSION_MAX: u64 = 13;

/// State of the whole playlist.
pub(super) struct Scope<'a> {
    /// Line being read, counted from 1.
    pub line: u32,
    pub findings: PlaylistFindings,
    pub variables: Variables,
    pub independent_segments: bool,
    pub start: Option<Start>,
    context: Option<&'a Context<'a>>,
    /// Number of bytes that variables may still insert.
    expansion_left: usize,
    has_header: bool,
    version: Option<u64>,
    /// Version that the tags so far need, and the first line that needs it.
    needed: (u64, u32),
}

impl<'a> Scope<'a> {
    pub fn new(context: Option<&'a Context<'a>>) -> Self {
        Self {
            line: 0,
            findings: PlaylistFindings::default(),
            variables: Variables::default(),
            independent_segments: false,
            start: None,
            context,
            expansion_left: limits::PLAYLIST_BYTES,
            has_header: false,
            version: None,
            needed: (1, 0),
        }
    }

    /// Counts a finding of the current line.
    pub fn report_finding(&mut self, finding: Finding) {
        self.findings.note(finding, self.line);
    }

    /// Notes a finding if an attribute list was malformed or names an attribute twice.
    pub fn check_list(&mut self, attributes: &Attributes<'_>) {
        if attributes.malformed {
            self.report_finding(Finding::BadAttributeList);
        }
        if attributes.repeated {
            self.report_finding(Finding::DuplicateAttribute);
        }
    }

    /// Returns `value`, and notes a finding if it is missing.
    pub fn required<T>(&mut self, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.report_finding(Finding::MissingAttribute);
        }
        value
    }

    /// Appends `item` to `list`, or notes a finding if the list has reached `limit`.
    pub fn push<T>(&mut self, list: &mut Vec<T>, item: T, limit: usize) {
        if list.len() < limit {
            list.push(item);
        } else {
            self.report_finding(Finding::Truncated);
        }
    }

    /// Records that the current line needs at least this protocol version (section 8).
    pub fn needs_version(&mut self, version: u64) {
        if version > self.needed.0 {
            self.needed = (version, self.line);
        }
    }

    /// Returns the version of the playlist after all lines have been read; notes a finding if it is too low.
    pub fn final_version(&mut self) -> u64 {
        let version = self.version.unwrap_or(1);
        let (needed, line) = self.needed;
        if version < needed {
            self.findings.note(Finding::VersionTooLow, line);
        }
        version
    }

    /// Reads a tag that both kinds of playlist may have; reports whether it is one.
    pub fn tag(&mut self, name: &str, value: &str) -> Result<bool, ParseError> {
        match name {
            "M3U" => self.header(),
            "-X-VERSION" => self.version(value),
            "-X-INDEPENDENT-SEGMENTS" => self.independent_segments = true,
            "-X-START" => self.start(value),
            "-X-DEFINE" => self.define(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn header(&mut self) {
        if std::mem::replace(&mut self.has_header, true) {
            self.report_finding(Finding::DuplicateTag);
        } else if self.line > 1 {
            self.report_finding(Finding::MisplacedTag);
        }
    }

    fn version(&mut self, value: &str) {
        let Some(version) = integer(value) else { return self.report_finding(Finding::BadTag) };
        if self.version.replace(version).is_some() {
            self.report_finding(Finding::DuplicateTag);
        }
        if version > VERSION_MAX {
            self.report_finding(Finding::VersionUnknown);
        }
    }

    fn start(&mut self, value: &str) {
        let mut time_offset = None;
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "TIME-OFFSET" => time_offset = self.number(it),
                // Only checked: players start at the beginning of the segment.
                "PRECISE" => _ = self.yes(it),
                _ => {}
            }
        }
        self.check_list(&attributes);
        if let Some(time_offset) = self.required(time_offset)
            && self.start.replace(Start { time_offset }).is_some()
        {
            self.report_finding(Finding::DuplicateTag);
        }
    }

    /// Reads a definition. References in it are not replaced: the value is literal.
    fn define(&mut self, value: &str) -> Result<(), ParseError> {
        self.needs_version(8);
        let (mut name, mut text, mut import, mut query_parameter) = (None, None, None, None);
        let mut attributes = Attributes::new(value);
        for it in attributes.by_ref() {
            match it.name {
                "NAME" => name = Some(it.value),
                "VALUE" => text = Some(it.value),
                "IMPORT" => import = Some(it.value),
                "QUERYPARAM" => query_parameter = Some(it.value),
                _ => {}
            }
        }
        self.check_list(&attributes);
        match (import, query_parameter, name) {
            (Some(import), ..) => self.import(import),
            (None, Some(name), _) => self.query_parameter(name),
            (None, None, Some(name)) => self.variables.define(name, text.unwrap_or_default()),
            (None, None, None) => {
                self.report_finding(Finding::MissingAttribute);
                Ok(())
            }
        }
    }

    fn import(&mut self, name: &str) -> Result<(), ParseError> {
        let Some(context) = self.context else { return self.leave(name) };
        let imported = context.imported.and_then(|variables| variables.get(name));
        let value = imported.ok_or_else(|| undefined(name, "is not defined by a multivariant playlist"))?;
        self.variables.define(name, value.as_str())
    }

    fn query_parameter(&mut self, name: &str) -> Result<(), ParseError> {
        self.needs_version(11);
        let Some(context) = self.context else { return self.leave(name) };
        let value = context.query_parameter(name);
        let value = value.ok_or_else(|| undefined(name, "is not in the query of the URL"))?;
        self.variables.define(name, &value)
    }

    /// Defines a variable of unknown value as a reference to itself, so that references to it stay as written.
    fn leave(&mut self, name: &str) -> Result<(), ParseError> {
        self.report_finding(Finding::UnresolvedVariable);
        self.variables.define(name, &format!("{{${name}}}"))
    }

    /// Replaces the variables in `text`.
    pub fn expand<'t>(&mut self, text: &'t str) -> Result<Cow<'t, str>, ParseError> {
        let expanded = self.variables.expand(text, &mut self.expansion_left)?;
        if expanded.len() > limits::PLAYLIST_LINE_BYTES {
            return Err(ParseError::new(Fault::PlaylistLimit, "variables make a line too long"));
        }
        Ok(expanded)
    }
}
