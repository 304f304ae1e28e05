//! Reads the data of the clients from the file of `--data`, and checks that every row can be used.
//!
//! Values are secrets: no message repeats one, nor a column, which is a value if the file has no line of names.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::csv::{Record, Records};
use super::shown_file;
use crate::swarm::{ClientData, RowOfData};
use crate::vocabulary::secret_url::UrlError;
use crate::vocabulary::{SecretUrl, placeholder, units};

/// Maximum size of a file of data: a million rows of a token each.
const FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Maximum number of rows.
const ROWS: usize = 1_000_000;

/// Reason why the data of the clients cannot be used. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--data {file}: {reason}")]
pub struct DataSourceError {
    /// Name of the file.
    file: String,
    /// Problem with the file, and what is expected.
    reason: String,
}

/// Places of a run that may have placeholders.
pub(super) struct Templates<'a> {
    pub(super) urls: Vec<&'a SecretUrl>,
    /// Header lines.
    pub(super) headers: &'a [String],
}

impl Templates<'_> {
    fn names(&self) -> BTreeSet<String> {
        let urls = self.urls.iter().flat_map(|url| url.placeholders());
        let headers = self.headers.iter().flat_map(|line| placeholder::names(line)).map(str::to_owned);
        urls.chain(headers).collect()
    }
}

/// Reads the columns that the templates name.
///
/// # Errors
/// See [`DataSourceError`].
pub(super) fn read(path: &Path, templates: &Templates<'_>) -> Result<ClientData, DataSourceError> {
    let wrong = |reason: String| DataSourceError { file: shown_file(path), reason };
    let text =
        text(path).map_err(|why| wrong(format!("{why}; expected a CSV file in UTF-8, up to 256 MiB")))?;
    table(&text, templates).map_err(wrong)
}

fn text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > FILE_BYTES { Err("the file is too large".to_owned()) } else { Ok(text) }
}

fn table(text: &str, templates: &Templates<'_>) -> Result<ClientData, String> {
    let mut records = Records::new(text);
    let mut next = || records.next().transpose().map_err(|(line, why)| format!("line {line}: {why}"));
    let head = next()?.ok_or("it is empty; expected a first line that names the columns")?.fields;
    let names: Vec<String> = templates.names().into_iter().collect();
    unique(&head, &names)?;
    let place = |name: &String| {
        let place = head.iter().position(|column| column.trim() == name);
        place.ok_or_else(|| format!("line 1: no column is named {name}; the URL or a header has {{{name}}}"))
    };
    let places = names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() {
        return Err(
            "no URL and no header has a placeholder such as {token}; expected one that names a column"
                .to_owned(),
        );
    }
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    while let Some(Record { line, mut fields }) = next()? {
        if fields.len() != head.len() {
            let [columns, given] =
                [head.len(), fields.len()].map(|count| units::plural(count as u64, "column"));
            return Err(format!("line {line}: it has {given}; expected {columns}, as in line 1"));
        }
        if lines.len() == ROWS {
            return Err(format!("line {line}: expected at most {} rows", units::count(ROWS as u64)));
        }
        values.extend(
            places.iter().map(|place| fields.get_mut(*place).map(std::mem::take).unwrap_or_default().into()),
        );
        lines.push(line);
    }
    if lines.is_empty() {
        return Err("it has no row; expected one for each client after the first line".to_owned());
    }
    let data = ClientData::new(names.clone(), values);
    lines.iter().enumerate().try_for_each(|(row, line)| {
        let checked = check(data.row(row), &names, &templates.urls);
        checked.map_err(|why| format!("line {line}: {why}"))
    })?;
    Ok(data)
}

/// Checks that no two columns have the same name. Only one that a placeholder names is repeated: another may be a value.
fn unique(head: &[String], names: &[String]) -> Result<(), String> {
    let mut seen = HashMap::new();
    for (column, name) in (1..).zip(head.iter().map(|name| name.trim())).filter(|(_, name)| !name.is_empty())
    {
        if let Some(first) = seen.insert(name, column) {
            let shown =
                names.iter().find(|known| *known == name).map_or(String::new(), |name| format!(" {name}"));
            return Err(format!(
                "line 1: columns {first} and {column} have the same name{shown}; each column needs its own"
            ));
        }
    }
    Ok(())
}

/// Checks that the values of a row can stand where their placeholders are.
fn check(row: RowOfData<'_>, names: &[String], urls: &[&SecretUrl]) -> Result<(), String> {
    let is_value = |name: &&String| {
        let value = row.value(name).unwrap_or_default();
        !value.is_empty() && !value.chars().any(char::is_control)
    };
    if let Some(name) = names.iter().find(|name| !is_value(name)) {
        return Err(format!("the value of {name} is empty or has a control character; expected a text"));
    }
    match urls.iter().find_map(|url| url.filled(|name| row.value(name)).err()) {
        Some(UrlError::DotSegment) => {
            Err("a path segment of the URL becomes . or ..; expected another text".to_owned())
        }
        Some(_) => Err("the URL becomes too long".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, url: &str, headers: &[&str]) -> Result<ClientData, String> {
        let url = SecretUrl::parse(url).expect(url);
        let headers: Vec<_> = headers.iter().map(|line| (*line).to_owned()).collect();
        table(text, &Templates { urls: vec![&url], headers: &headers })
    }

    #[test]
    fn the_columns_that_placeholders_name_are_read() {
        let text = "id, token ,other\r\n1,hunter2-a,x\r\n2,\"hunter2,b\",y\r\n";
        let data = read(text, "http://h/{id}/a?t={token}", &["X-Id: {id}", "X: {}"]).expect("a table");
        assert_eq!((data.rows(), data.row(1).value("token")), (2, Some("hunter2,b")));
        assert_eq!((data.row(0).value("id"), data.row(0).value("other")), (Some("1"), None));
    }

    #[test]
    fn data_that_cannot_be_used_is_one_line_with_its_number_and_without_a_value() {
        let url = "http://h/{id}";
        for (text, headers, expected) in [
            ("", &[][..], "it is empty; expected a first line"),
            ("id\n", &[], "it has no row"),
            ("hunter2\n1\n", &[], "line 1: no column is named id; the URL or a header has {id}"),
            ("id\n1\n\nhunter2,3\n", &[], "line 4: it has 2 columns; expected 1 column"),
            ("id\nhunter2\n\"\"\n", &[], "line 3: the value of id is empty"),
            ("id\n\"hunter2\n\"\n", &[], "line 2: the value of id is empty or has a control character"),
            ("id, id ,a,,\nhunter2,1,2,,\n", &[], "line 1: columns 1 and 2 have the same name id; each"),
            ("id,hunter2,x,hunter2\n", &[], "line 1: columns 2 and 4 have the same name; each"),
            ("id\n..\n", &[], "line 2: a path segment of the URL becomes . or .."),
            ("id\nhunter2\"\n", &[], "line 2: a quotation mark inside a field"),
            ("id\nhunter2\n", &["X: {token}"], "line 1: no column is named token"),
        ] {
            let said = read(text, url, headers).expect_err(text);
            assert!(said.starts_with(expected), "{text}: {said}");
            assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
        }
        let long = format!("id\n{}\n", "x".repeat(20_000));
        assert_eq!(read(&long, url, &[]).expect_err("long"), "line 2: the URL becomes too long");
        let none = read("id\nhunter2\n", "http://h/a", &[]).expect_err("no placeholder");
        assert!(none.starts_with("no URL and no header has a placeholder"), "{none}");
        let missing = super::read(Path::new("none\u{1b}[2J"), &Templates { urls: vec![], headers: &[] });
        let missing = missing.expect_err("no file").to_string();
        assert!(missing.starts_with("--data none^[[2J: No such file"), "{missing}");
    }
}
