//! Lenient reader for attribute lists and their integers (RFC 8216bis section 4.2).
//!
//! The list reader of quick-m3u8 is all or nothing: one stray space or comma loses the whole tag. This one skips only
//! the bad attribute and sets [`Attributes::malformed`].

use quick_m3u8::tag::TagValue;

/// Parses a decimal integer (section 4.2).
pub(super) fn integer(text: &str) -> Option<u64> {
    TagValue(text.as_bytes()).try_as_decimal_integer().ok()
}

/// Attribute as it stands in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// Name.
    pub name: &'a str,
    /// Value without quotes; variables are not replaced yet.
    pub value: &'a str,
    /// True if the value was quoted.
    pub quoted: bool,
}

/// Maximum number of names of a list that are checked for repetition: more than any tag defines.
const COMPARED: usize = 32;

/// Iterator over an attribute list.
pub(super) struct Attributes<'a> {
    rest: &'a str,
    /// The first [`COMPARED`] names read so far.
    names: [&'a str; COMPARED],
    count: usize,
    /// True if a name has occurred twice in the part read so far.
    pub repeated: bool,
    /// True if anything other than `name=value` has occurred in the part read so far.
    pub malformed: bool,
}

impl<'a> Attributes<'a> {
    pub const fn new(list: &'a str) -> Self {
        Self { rest: list, names: [""; COMPARED], count: 0, repeated: false, malformed: false }
    }

    fn note_name(&mut self, name: &'a str) {
        self.repeated |= self.names.iter().take(self.count).any(|known| *known == name);
        if let Some(free) = self.names.get_mut(self.count) {
            *free = name;
            self.count += 1;
        }
    }

    /// Splits the text after an opening quote into the value, up to the closing quote, and the rest after the next
    /// comma.
    fn quoted(&mut self, behind_quote: &'a str) -> (&'a str, &'a str) {
        let Some((value, behind)) = behind_quote.split_once('"') else {
            self.malformed = true;
            return (behind_quote, "");
        };
        let (between, rest) = behind.split_once(',').unwrap_or((behind, ""));
        self.malformed |= !between.trim_ascii().is_empty();
        (value, rest)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let list = self.rest.trim_ascii_start();
        if list.is_empty() {
            return None;
        }
        let Some((before, behind)) = list.split_once('=') else {
            self.malformed = true;
            self.rest = "";
            return None;
        };
        // Text before the last comma consists of attributes without a value.
        let (stray, name) =
            before.rsplit_once(',').map_or((None, before), |(stray, name)| (Some(stray), name));
        self.malformed |= stray.is_some();
        let behind = behind.trim_ascii_start();
        let (value, rest, quoted) = match behind.strip_prefix('"') {
            Some(behind_quote) => {
                let (value, rest) = self.quoted(behind_quote);
                (value, rest, true)
            }
            None => {
                let (value, rest) = behind.split_once(',').unwrap_or((behind, ""));
                (value.trim_ascii_end(), rest, false)
            }
        };
        self.rest = rest;
        let name = name.trim_ascii();
        self.note_name(name);
        Some(Attribute { name, value, quoted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> (Vec<(&str, &str, bool)>, bool) {
        let mut attributes = Attributes::new(list);
        let mut read = Vec::new();
        for attribute in attributes.by_ref() {
            read.push((attribute.name, attribute.value, attribute.quoted));
        }
        (read, attributes.malformed)
    }

    #[test]
    fn commas_and_equal_signs_within_quotes_belong_to_the_value() {
        let (read, malformed) = read("A=1,B=\"x,y=z\",C=2x3");
        assert_eq!(read, [("A", "1", false), ("B", "x,y=z", true), ("C", "2x3", false)]);
        assert!(!malformed);
    }

    #[test]
    fn spaces_around_names_and_values_are_forgiven() {
        assert_eq!(read("A = 1 , B=\"b\" ").0, [("A", "1", false), ("B", "b", true)]);
    }

    #[test]
    fn what_is_wrong_costs_its_own_attribute() {
        for (list, expected) in [
            ("A=1,junk,B=2", vec![("A", "1", false), ("B", "2", false)]),
            ("A=\"x\"junk,B=2", vec![("A", "x", true), ("B", "2", false)]),
            ("A=\"open,B=2", vec![("A", "open,B=2", true)]),
            ("A=1,junk", vec![("A", "1", false)]),
            ("junk", vec![]),
        ] {
            assert_eq!(read(list), (expected, true), "{list}");
        }
    }

    #[test]
    fn a_name_that_stands_twice_is_noticed() {
        for (list, repeated) in
            [("A=1,B=2", false), ("A=1,B=2,A=1", true), ("A=\"A=1\",B=2", false), ("A=1,a=1", false)]
        {
            let mut attributes = Attributes::new(list);
            attributes.by_ref().for_each(drop);
            assert_eq!(attributes.repeated, repeated, "{list}");
        }
        let many: String = (0..1_000).map(|n| format!("A{n}=1,")).collect();
        let mut attributes = Attributes::new(&many);
        assert_eq!(attributes.by_ref().count(), 1_000);
        assert!(!attributes.repeated);
    }

    #[test]
    fn an_empty_list_and_a_last_comma_are_no_mistake() {
        assert_eq!(read(""), (vec![], false));
        assert_eq!(read("A=1,"), (vec![("A", "1", false)], false));
    }
}
