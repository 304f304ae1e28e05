//! Escapes text for the formats of a report. Renderers write text from a document only through these functions.

use crate::vocabulary::Untrusted;

/// Returns text for XML and HTML, for content and for attribute values alike. Control characters are made visible, the
/// two code points that XML 1.0 forbids are replaced.
pub(super) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    push_xml(text, &mut safe);
    safe
}

/// Appends text as [`xml`] returns it.
pub(super) fn push_xml(text: &str, safe: &mut String) {
    for character in Untrusted::new(text).shown().chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
}

/// Returns text for a line of Markdown, also within a table: every character that could begin a markup is escaped.
pub(super) fn markdown(text: &str) -> String {
    let shown = Untrusted::new(text).shown();
    let mut safe = String::with_capacity(shown.len());
    for character in shown.chars() {
        match character {
            // GitHub reads HTML in Markdown, also within backticks of an unclosed span.
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // GitHub looks for `@name` and `#123` after all escapes have been decoded: a space of no width is what
            // keeps a person from being notified.
            '@' => safe.push_str("@&#8203;"),
            '#' => safe.push_str("\\#&#8203;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '!' | '~' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            other => safe.push(other),
        }
    }
    // An address within a hostile text must not become a link.
    safe.replace("://", ":&#8203;//").replace("www.", "www&#8203;.")
}

/// Returns a JSON text for a `<script>` element of HTML: no sequence in it ends the element or begins a comment.
pub(super) fn json_in_html(json: &str) -> String {
    // Outside of strings JSON has no `<`, and in a string this escape means the same.
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::untrusted::HOSTILE;

    #[test]
    fn no_text_becomes_markup() {
        let texts =
            ["<b>&amp;\"'", "</script><script>alert(1)</script>", "a\u{0}\u{b}\u{1b}[31m\u{ffff}\u{fffe}"];
        for text in texts.iter().chain(HOSTILE) {
            let safe = xml(text);
            assert!(!safe.contains(['<', '>', '"', '\'']), "{safe}");
            assert!(
                !safe.chars().any(|character| character.is_control() || character >= '\u{10fffe}'),
                "{safe}"
            );
            assert!(!safe.contains(['\u{fffe}', '\u{ffff}']), "{safe:?}");
        }
        assert_eq!(xml("a<b & \"c\""), "a&lt;b &amp; &quot;c&quot;");
    }

    #[test]
    fn a_line_of_markdown_stays_one_cell_of_text() {
        let safe = markdown("a|b\n* [x](http://h) `c` <img src=x> @all _d_");
        assert_eq!(safe, "a\\|b \\* \\[x\\](http:&#8203;//h) \\`c\\` &lt;img src=x&gt; @&#8203;all \\_d\\_");
        assert_eq!(markdown("#12 www.x.org"), "\\#&#8203;12 www&#8203;.x.org");
        for text in HOSTILE {
            assert!(!markdown(text).contains(['\n', '\r', '<']), "{text:?}");
        }
    }

    #[test]
    fn json_within_html_means_the_same_and_ends_no_element() {
        let json = serde_json::json!({ "a</script><!--": "</ScRiPt>" }).to_string();
        let safe = json_in_html(&json);
        assert!(!safe.contains('<'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).expect("JSON")["a</script><!--"],
            "</ScRiPt>"
        );
    }
}
