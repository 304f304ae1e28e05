//! The report as a page: one file that loads nothing, is readable without its script, light and dark, and prints.
//!
//! * Text reaches the page only through [`escape`](super::escape), and colours only as classes: the policy of the page
//!   allows no other style, no other script and no connection.

mod charts;
mod sections;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::answer;
use super::columns::Columns;
use super::doc::Doc;
use super::escape::{json_in_html, push_xml, xml};
use crate::vocabulary::palette::{DARK, GROUND_LIGHT, LIGHT, Rgb, Tone, VERDICTS, hex};

use charts::Charts;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Ground of the page in the dark: a little darker than that of a terminal, because the page is larger.
const PAPER_DARK: Rgb = (0x15, 0x18, 0x1e);
/// Ground of tiles and empty strips, light and dark.
const PANELS: [Rgb; 2] = [(0xf8, 0xf9, 0xfb), (0x1b, 0x1f, 0x27)];

/// Returns the report as a page.
///
/// # Errors
/// Never fails for a document that was read; the signature is serde's.
pub(super) fn page(doc: &Doc) -> serde_json::Result<String> {
    let columns = Columns::new(doc);
    let charts = Charts::new(doc, &columns);
    let json = doc.json()?;
    let mut page = String::with_capacity(json.len() + (64 << 10));
    let headline = answer::headline(doc);
    let style = style();
    _ = writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src {}; \
         script-src {}; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>{style}</style>\n</head>\n<body>",
        source(&style),
        source(SCRIPT),
        xml(&format!("{}: {}", headline.word, headline.rest)),
    );
    head(doc, &mut page);
    page.push_str("<main>\n");
    tiles(doc, &mut page);
    page.push_str("<h2>The run<small>one time axis; the lines are knees and marks</small></h2>\n");
    charts.write(&mut page);
    sections::write(doc, &columns, &mut page);
    page.push_str("</main>\n<script type=\"application/json\" id=\"report\">");
    page.push_str(&json_in_html(&json));
    page.push_str("</script>\n<script type=\"application/json\" id=\"charts\">");
    page.push_str(&json_in_html(&charts.data()));
    _ = writeln!(page, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>");
    Ok(page)
}

/// Returns the source of an inline element for the policy of the page: its hash.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Returns the style: the colours of the palette, and what they are used for.
fn style() -> String {
    let table = |table: &[Rgb; Tone::COUNT], paper: Rgb, panel: Rgb| {
        let colours = Tone::ALL.into_iter().zip(table);
        let colours = colours.map(|(tone, colour)| format!("--{}:{};", tone_class(tone), hex(*colour)));
        format!("{}--paper:{};--panel:{};", colours.collect::<String>(), hex(paper), hex(panel))
    };
    let grounds =
        VERDICTS.map(|(tone, colour)| format!("--g-{}:{};", tone_class(tone), hex(colour))).concat();
    let classes =
        Tone::ALL.map(tone_class).map(|name| format!(".{name}{{fill:var(--{name});color:var(--{name})}}"));
    format!(
        ":root{{color-scheme:light dark;{grounds}{}}}\n\
         @media(prefers-color-scheme:dark){{:root{{{}}}.for-light{{display:none}}image.for-dark{{display:inline}}}}\n{}\n{STYLE}",
        table(&LIGHT, GROUND_LIGHT, PANELS[0]),
        table(&DARK, PAPER_DARK, PANELS[1]),
        classes.concat(),
    )
}

/// Returns the class of a tone, which is also the name of its colour in the style.
fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Text => "text",
        Tone::Label => "label",
        Tone::Rule => "rule",
        Tone::Idle => "idle",
        Tone::Bright => "bright",
        Tone::Play => "play",
        Tone::Data => "data",
        Tone::Start => "start",
        Tone::Warn => "warn",
        Tone::Fail => "fail",
        Tone::Fail2 => "fail2",
        Tone::Fail3 => "fail3",
        Tone::Other => "other",
        Tone::Other2 => "other2",
        Tone::Missing => "missing",
        Tone::Ok => "ok",
        Tone::Untrusted => "untrusted",
        Tone::Ground => "ground",
    }
}

/// Writes the answer and the verdict on the measurement, above every number.
fn head(doc: &Doc, page: &mut String) {
    let headline = answer::headline(doc);
    _ = writeln!(
        page,
        "<header class=\"g-{}\"><div><h1>{} {} — {}</h1><p>{}</p></div></header>",
        tone_class(headline.tone),
        headline.sign,
        headline.word,
        xml(&headline.rest),
        answer::subtitle(doc).iter().map(|sentence| xml(sentence)).collect::<Vec<_>>().join(" · "),
    );
    let tone = answer::trust_tone(doc.at("/trust/verdict").trust());
    _ = write!(page, "<div class=\"trust\"><b class=\"{}\">Measurement ", tone_class(tone));
    push_xml(&answer::trust_sentence(doc.at("/trust")), page);
    page.push_str(".</b> ");
    push_xml(&answer::audience_sentence(doc), page);
    page.push_str(".</div>\n");
}

fn tiles(doc: &Doc, page: &mut String) {
    page.push_str("<div class=\"tiles\">");
    for tile in answer::tiles(doc) {
        _ = write!(
            page,
            "<div class=\"tile\"><span>{}</span><b class=\"{}\">{}</b><span>{}</span></div>",
            tile.label,
            tone_class(tile.tone),
            xml(&tile.value),
            xml(&tile.note)
        );
    }
    page.push_str("</div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_has_a_colour_and_a_class_for_each_tone() {
        let style = style();
        for tone in Tone::ALL {
            let name = tone_class(tone);
            assert_eq!(style.matches(&format!("--{name}:#")).count(), 2, "{name}");
            assert!(style.contains(&format!(".{name}{{fill:")), "{name}");
        }
        assert!(style.contains(&format!("--fail:{}", hex(LIGHT[Tone::Fail.index()]))));
        assert!(!style.contains("http") && !style.contains("@import") && !style.contains("url("));
    }

    #[test]
    fn the_script_names_nothing_outside_of_the_page() {
        for word in ["http", "fetch", "import", "XMLHttp", "innerHTML", "eval", "</"] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(SCRIPT.len() < 3_000);
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
