//! Reads Rust source just well enough to find its paths and its functions.
//!
//! - The scanner skips comments, doc comments, strings and character literals.
//! - It finds a path wherever it stands; a `use` tree counts as all the paths that it spells.
//! - It resolves `super` through folders and inline modules, so that it also finds an import that goes over the
//!   crate's root.
//!
//! A parser (syn) would read more than is needed, and this needs no dependency.

/// A path as written, with the line of its last name; begins with `crate` if it starts at the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub line: usize,
    pub segments: Vec<String>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// Line of its `fn`.
    pub line: usize,
    /// Number of lines from its `fn` to its closing brace.
    pub lines: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    line: usize,
    /// A name, a number, `::`, or one other character.
    text: String,
}

/// Returns all paths of `source`, which is module `module` of the crate (`["hls", "reload"]`; empty for the root).
pub fn paths(source: &str, module: &[String]) -> Vec<NamedPath> {
    let tokens = tokens(source);
    let mut paths = Vec::new();
    let mut scopes = Scopes::new(module.len());
    let mut at = 0;
    while at < tokens.len() {
        scopes.see(&tokens, at);
        if is_name(text(&tokens, at)) {
            let mut found = Vec::new();
            at = read_tree(&tokens, at, &[], &mut found);
            paths.extend(found.into_iter().map(|path| scopes.resolve(path)));
        } else {
            at += 1;
        }
    }
    paths
}

/// Returns all functions of `source` that have a body.
pub fn functions(source: &str) -> Vec<Function> {
    let tokens = tokens(source);
    (0..tokens.len()).filter_map(|at| function_at(&tokens, at)).collect()
}

/// Nesting of modules at the current place in the source.
struct Scopes {
    of_file: usize,
    braces: usize,
    /// Depth of braces around each open inline module.
    inline: Vec<usize>,
}

impl Scopes {
    const fn new(of_file: usize) -> Self {
        Self { of_file, braces: 0, inline: Vec::new() }
    }

    fn see(&mut self, tokens: &[Token], at: usize) {
        match text(tokens, at) {
            "mod" if text(tokens, at + 2) == "{" => self.inline.push(self.braces),
            "{" => self.braces += 1,
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                self.inline.pop_if(|around| *around == self.braces);
            }
            _ => {}
        }
    }

    /// Turns a chain of `super` that climbs to the root into `crate`.
    fn resolve(&self, mut path: NamedPath) -> NamedPath {
        let climbs = path.segments.iter().take_while(|segment| *segment == "super").count();
        if climbs > 0 && climbs == self.of_file + self.inline.len() {
            path.segments.splice(..climbs, ["crate".to_owned()]);
        }
        path
    }
}

/// Reads the path or `use` tree whose first name is at `at`; returns the place after it.
fn read_tree(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<NamedPath>) -> usize {
    let mut segments = prefix.to_vec();
    loop {
        let token = &tokens[at];
        segments.push(token.text.clone());
        at += 1;
        if text(tokens, at) != "::" {
            found.push(NamedPath { line: token.line, segments });
            return at;
        }
        match text(tokens, at + 1) {
            "{" => return read_branches(tokens, at + 2, &segments, found),
            next if is_name(next) || next == "*" => at += 1,
            _ => {
                found.push(NamedPath { line: token.line, segments });
                return at;
            }
        }
    }
}

/// Reads the branches between the braces of a `use` tree; returns the place after the closing brace.
fn read_branches(tokens: &[Token], mut at: usize, prefix: &[String], found: &mut Vec<NamedPath>) -> usize {
    while at < tokens.len() && text(tokens, at) != "}" {
        let begins_branch = matches!(text(tokens, at - 1), "{" | ",");
        if begins_branch && (is_name(text(tokens, at)) || text(tokens, at) == "*") {
            at = read_tree(tokens, at, prefix, found);
        } else {
            at += 1;
        }
    }
    at + 1
}

fn function_at(tokens: &[Token], at: usize) -> Option<Function> {
    let name = text(tokens, at + 1);
    if text(tokens, at) != "fn" || !is_name(name) {
        return None;
    }
    let opens = body_of(tokens, at)?;
    let mut braces = 0_usize;
    for token in &tokens[opens..] {
        match token.text.as_str() {
            "{" => braces += 1,
            "}" => braces -= 1,
            _ => {}
        }
        if braces == 0 {
            let line = tokens[at].line;
            return Some(Function { name: name.to_owned(), line, lines: token.line - line + 1 });
        }
    }
    None
}

/// Returns the place of the opening brace of the function at `at`, unless the function is only declared.
fn body_of(tokens: &[Token], at: usize) -> Option<usize> {
    let mut nested = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" => nested += 1,
            // Closes something around the `fn`: a pattern of a macro, not a function.
            ")" | "]" if nested == 0 => return None,
            ")" | "]" => nested -= 1,
            "{" if nested == 0 => return Some(index),
            ";" if nested == 0 => return None,
            _ => {}
        }
    }
    None
}

fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| &token.text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let skipped = length_that_is_no_source(rest);
        let length = if skipped > 0 { skipped } else { length_of_token(rest, first) };
        let (read, after) = rest.split_at(length);
        if skipped == 0 && !first.is_whitespace() {
            tokens.push(Token { line, text: read.trim_start_matches("r#").to_owned() });
        }
        line += read.matches('\n').count();
        rest = after;
    }
    tokens
}

fn length_of_token(rest: &str, first: char) -> usize {
    if rest.starts_with("::") {
        return 2;
    }
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    let is_part = |part: char| part.is_alphanumeric() || part == '_';
    let word = rest[raw..].find(|part| !is_part(part)).map_or(rest.len(), |length| raw + length);
    if word > raw { word } else { first.len_utf8() }
}

/// Returns the length of the comment, string, character or lifetime at the start of `rest`, or 0.
fn length_that_is_no_source(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return length_of_block_comment(rest);
    }
    if let Some(quoted) = rest.strip_prefix(['b', 'c']).filter(|rest| rest.starts_with(['"', '\'', 'r'])) {
        let length = length_of_literal(quoted);
        return if length > 0 { length + 1 } else { 0 };
    }
    length_of_literal(rest)
}

fn length_of_literal(rest: &str) -> usize {
    match rest.as_bytes() {
        [b'"', ..] => length_of_quoted(rest, '"'),
        [b'r', b'"' | b'#', ..] => length_of_raw_string(rest),
        [b'\'', b'\\', ..] => length_of_quoted(rest, '\''),
        [b'\'', ..] => length_of_character_or_lifetime(rest),
        _ => 0,
    }
}

/// Returns the length of a block comment. Block comments nest.
fn length_of_block_comment(rest: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let step = match &rest.as_bytes()[at..] {
            [] => return at,
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
}

fn length_of_quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return at + 1;
        }
        if character == '\\' {
            characters.next();
        }
    }
    rest.len()
}

/// Returns the length of `r"..."` or `r#"..."#`, or 0 for a raw name such as `r#type`.
fn length_of_raw_string(rest: &str) -> usize {
    let fences = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    if rest.as_bytes().get(1 + fences) != Some(&b'"') {
        return 0;
    }
    let begins = fences + 2;
    let end = format!("\"{}", "#".repeat(fences));
    rest[begins..].find(&end).map_or(rest.len(), |length| begins + length + end.len())
}

fn length_of_character_or_lifetime(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(2);
    match characters.next() {
        Some((at, '\'')) => at + 1,
        // A lifetime: skip its name with the quote, because the name is not a path.
        _ => 1 + length_of_token(&rest[1..], rest[1..].chars().next().unwrap_or(' ')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        paths(source, &module).into_iter().map(|path| path.segments.join("::")).collect()
    }

    fn found_in_crate(source: &str, module: &[&str]) -> Vec<String> {
        found(source, module).into_iter().filter(|path| path.starts_with("crate::")).collect()
    }

    #[test]
    fn a_use_tree_is_all_the_paths_that_it_spells() {
        let source = "use crate::{vocabulary::{units, kind::Kind}, net as sockets, stats::*};";
        let expected =
            ["crate::vocabulary::units", "crate::vocabulary::kind::Kind", "crate::net", "crate::stats::*"];
        assert_eq!(found_in_crate(source, &["run"]), expected);
    }

    #[test]
    fn a_path_within_an_expression_a_type_and_a_macro_is_found() {
        let source = "fn f(a: Vec<crate::net::Fetch>) { crate::tui::show::<u8>(a); m!($crate::hls::x) }";
        assert_eq!(
            found_in_crate(source, &["run"]),
            ["crate::net::Fetch", "crate::tui::show", "crate::hls::x"]
        );
    }

    #[test]
    fn comments_strings_and_characters_are_no_source() {
        let source = r##"
            //! [`crate::a`]
            /// crate::b
            /* crate::c /* crate::d */ crate::e */
            const A: &str = "crate::f \" crate::g";
            const B: &str = r#"crate::h " crate::i"#;
            const C: &[u8] = b"crate::j";
            const D: [char; 3] = ['"', '\'', '{'];
            fn f<'a>(x: &'a crate::found::X) {}
        "##;
        assert_eq!(found_in_crate(source, &["run"]), ["crate::found::X"]);
    }

    #[test]
    fn a_visibility_is_no_path_into_the_crate() {
        assert!(found_in_crate("pub(crate) fn f() {} pub(crate) struct S;", &["run"]).is_empty());
    }

    #[test]
    fn super_is_followed_to_the_root_and_not_beyond_its_module() {
        assert_eq!(found_in_crate("use super::net;", &["hls"]), ["crate::net"]);
        assert!(found_in_crate("use super::net;", &["hls", "reload"]).is_empty());
        assert_eq!(found_in_crate("use super::super::{net, tui::x};", &["hls", "reload"]).len(), 2);
        assert!(found_in_crate("mod tests { use super::*; }", &["hls"]).is_empty());
        assert_eq!(found_in_crate("mod tests { fn f() {} } use super::net;", &["hls"]), ["crate::net"]);
    }

    #[test]
    fn a_path_knows_its_line() {
        let lines: Vec<usize> = paths("\n\nuse std::{\n    fs,\n    io,\n};", &[])
            .into_iter()
            .filter(|path| path.segments.len() > 1)
            .map(|path| path.line)
            .collect();
        assert_eq!(lines, [4, 5]);
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_closing_brace() {
        let source =
            "trait T { fn declared(a: [u8; 4]) -> u8; }\nfn f(g: fn(u8)) -> [u8; 4] {\n  if x { \"}\" }\n}\n";
        assert_eq!(functions(source), [Function { name: "f".to_owned(), line: 2, lines: 3 }]);
    }
}
