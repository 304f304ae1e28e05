//! Reads comma-separated values (RFC 4180): fields in quotation marks may hold commas, line breaks and doubled quotation
//! marks. A line break may also be a single LF, and an empty line is skipped.

/// A record, and the number of the line on which it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: usize,
    pub(super) fields: Vec<String>,
}

/// Records of a text, one after the other. An error ends them: the number of its line and what is wrong there.
pub(super) struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
    }

    /// Takes one field. Returns it, and whether another one follows in the same record.
    fn field(&mut self) -> Result<(String, bool), &'static str> {
        let field = match self.rest.strip_prefix('"') {
            Some(quoted) => self.quoted(quoted)?,
            None => {
                let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
                let (field, rest) = self.rest.split_at(end);
                self.rest = rest;
                let field =
                    if rest.starts_with(',') { field } else { field.strip_suffix('\r').unwrap_or(field) };
                if field.contains('"') {
                    return Err("a quotation mark inside a field; expected the field in quotation marks");
                }
                field.to_owned()
            }
        };
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return Ok((field, true));
        }
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
        self.line += usize::from(rest.is_some());
        match rest {
            Some(rest) => self.rest = rest,
            None if self.rest.is_empty() => {}
            None => {
                return Err("text after a quotation mark; expected a comma or the end of the line");
            }
        }
        Ok((field, false))
    }

    /// Takes the rest of a field whose first quotation mark has been taken.
    fn quoted(&mut self, mut rest: &'a str) -> Result<String, &'static str> {
        let mut field = String::new();
        loop {
            let (part, after) = rest.split_once('"').ok_or("a quotation mark without its end")?;
            field.push_str(part);
            self.line += part.matches('\n').count();
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    rest = after;
                }
                None => {
                    self.rest = after;
                    return Ok(field);
                }
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, (usize, &'static str)>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n')) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let (line, mut fields) = (self.line, Vec::new());
        loop {
            match self.field() {
                Ok((field, goes_on)) => {
                    fields.push(field);
                    if !goes_on {
                        return Some(Ok(Record { line, fields }));
                    }
                }
                Err(why) => {
                    self.rest = "";
                    return Some(Err((line, why)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines and fields of all records, or the line of the mistake.
    type Table = Result<Vec<(usize, Vec<String>)>, (usize, &'static str)>;

    fn read(text: &str) -> Table {
        Records::new(text).map(|record| record.map(|record| (record.line, record.fields))).collect()
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        let text = "\u{feff}id,token\r\n1,\"a,\"\"b\"\"\r\nc\"\n\n\r\n2,\r\n,\"\"\n3, x y ";
        let expected = [
            (1, &["id", "token"][..]),
            (2, &["1", "a,\"b\"\r\nc"]),
            (6, &["2", ""]),
            (7, &["", ""]),
            (8, &["3", " x y "]),
        ];
        let owned = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(text), Ok(expected.map(|(line, fields)| (line, owned(fields))).into()));
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("a,"), Ok(vec![(1, owned(&["a", ""]))]));
    }

    #[test]
    fn what_the_standard_does_not_allow_is_refused_with_its_line() {
        for (text, line, expected) in [
            ("a\nb\"c\n", 2, "a quotation mark inside"),
            ("a\n\"b\" c\n", 2, "text after a quotation mark"),
            ("a\n\n\"b\nc", 3, "a quotation mark without its end"),
        ] {
            let (at, why) = read(text).expect_err(text);
            assert!(at == line && why.starts_with(expected), "{text}: {at} {why}");
        }
    }

    proptest! {
        #[test]
        fn records_are_read_as_they_were_written(
            rows in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n é]{0,6}", 2..4), 1..6),
        ) {
            let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let lines = rows.iter().map(|row| row.iter().map(quote).collect::<Vec<_>>().join(",") + "\r\n");
            let read = read(&lines.collect::<String>()).map(|rows| rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
            prop_assert_eq!(read, Ok(rows));
        }

        #[test]
        fn any_text_ends(text in "[a,\"\r\n]{0,40}") {
            prop_assert!(Records::new(&text).count() <= 41);
        }
    }
}
