//! Puts the arrays of numbers of a pretty-printed JSON text on one line each: columns of hundreds of numbers with a
//! line for each would make megabytes that no one can read.

/// Returns the same JSON in which each array that contains no object is on one line.
pub(super) fn compact(pretty: &str) -> String {
    let mut text = String::with_capacity(pretty.len() / 2);
    // Start of each open array in `text`; `None` once it turns out to contain an object.
    let mut open: Vec<Option<usize>> = Vec::new();
    for piece in pieces(pretty) {
        text.push_str(piece);
        match piece {
            "[" => open.push(Some(text.len())),
            "{" => open.iter_mut().for_each(|start| *start = None),
            "]" => {
                if let Some(start) = open.pop().flatten() {
                    let array = text.split_off(start);
                    pieces(&array).for_each(|piece| text.push_str(on_one_line(piece)));
                }
            }
            _ => {}
        }
    }
    text
}

/// Returns what stands for a piece of an array: spaces and new lines go.
fn on_one_line(piece: &str) -> &str {
    if piece.trim_start().is_empty() { "" } else { piece }
}

/// Splits JSON into strings, runs of white space, the signs `[ ] { } , :` and runs of everything else.
fn pieces(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let length = match rest.chars().next()? {
            '"' => string_length(rest),
            '[' | ']' | '{' | '}' | ',' | ':' => 1,
            first => {
                let is_space = first.is_ascii_whitespace();
                let ends = |sign: char| sign.is_ascii_whitespace() != is_space || "\"[]{},:".contains(sign);
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        Some(piece)
    })
}

/// Returns the length of the string that `json` begins with, quotes included.
fn string_length(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn arrays_without_objects_are_on_one_line_and_all_else_stays() {
        let value =
            json!({"a": [1, 2, [3, [4.5, null]]], "b": [[1], {"c": []}], "d": {}, "e": ["x, [y", "\"\\"]});
        let compacted = compact(&serde_json::to_string_pretty(&value).expect("serialisable"));
        let expected = [
            "{",
            "  \"a\": [1,2,[3,[4.5,null]]],",
            "  \"b\": [",
            "    [1],",
            "    {",
            "      \"c\": []",
            "    }",
            "  ],",
            "  \"d\": {},",
            "  \"e\": [\"x, [y\",\"\\\"\\\\\"]",
            "}",
        ];
        assert_eq!(compacted.lines().collect::<Vec<_>>(), expected);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            "[\\[\\]{}\",:\\\\ \n\u{e9}a]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let name = "[\"\\[{\\\\a ]{0,3}";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(value in values()) {
            let pretty = serde_json::to_string_pretty(&value).expect("serialisable");
            let compacted = compact(&pretty);
            prop_assert_eq!(serde_json::from_str::<Value>(&compacted).expect("JSON"), value);
            prop_assert!(compacted.len() <= pretty.len());
        }
    }
}
