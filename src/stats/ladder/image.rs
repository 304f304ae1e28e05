//! Rungs in an image: numbers as they are, and the name of a rung as one text.

use super::{Ladder, RungCells, RungKind, RungName};
use crate::sync::image::Walk;
use crate::vocabulary::Untrusted;

/// Maximum width of a label and of codecs, in columns.
const COLUMNS: [usize; 2] = [16, 24];

impl Ladder {
    /// Visits all rungs.
    pub(in crate::stats) fn walk(&self, walk: &mut Walk<'_>) {
        self.0.iter().for_each(|rung| rung.walk(walk));
    }
}

impl RungCells {
    fn walk(&self, walk: &mut Walk<'_>) {
        // The number first, as a reader reads it.
        let cells = [&self.newest, &self.tail, &self.came_us, &self.target_us];
        let more = [&self.window_us, &self.hold_back_us, &self.segments];
        cells.into_iter().chain(more).for_each(|cell| walk.cell(cell));
        if let Some(ends_us) = walk.visit(self.ends_us.get()) {
            let largest = crate::sync::image::LARGEST.cast_signed();
            self.ends_us.set(ends_us.cast_signed().clamp(-largest, largest).cast_unsigned());
        }
        let now = self.name.get().map(|name| text(name));
        if let Some(name) = walk.text(now.as_deref()).and_then(name) {
            self.name.get_or_init(|| name.into());
        }
    }
}

fn text(name: &RungName) -> String {
    let number = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    let (width, height) = name.size.unzip();
    let kind = match name.kind {
        RungKind::Variant => "variant",
        RungKind::Audio => "audio",
        RungKind::Subtitles => "subtitles",
    };
    let fields = [
        kind.to_owned(),
        name.label.to_string(),
        number(width.map(u64::from)),
        number(height.map(u64::from)),
        name.frame_rate.map_or(String::new(), |rate| rate.to_string()),
        number(name.bandwidth),
        name.codecs.to_string(),
    ];
    // A list in JSON: whatever a label holds, its fields stay apart, and no control character separates them.
    serde_json::json!(fields).to_string()
}

fn name(text: &str) -> Option<RungName> {
    let fields: [String; 7] = serde_json::from_str(text).ok()?;
    let [kind, label, width, height, frame_rate, bandwidth, codecs] = fields;
    let [label, codecs] = [(label, COLUMNS[0]), (codecs, COLUMNS[1])]
        .map(|(text, columns)| Untrusted::new(&text).shown_in(columns).into());
    Some(RungName {
        kind: match kind.as_str() {
            "variant" => RungKind::Variant,
            "audio" => RungKind::Audio,
            "subtitles" => RungKind::Subtitles,
            _ => return None,
        },
        label,
        size: width.parse().ok().zip(height.parse().ok()),
        frame_rate: frame_rate.parse().ok().filter(|rate: &f64| rate.is_finite()),
        bandwidth: bandwidth.parse().ok(),
        codecs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let full = RungName {
            kind: RungKind::Variant,
            label: "1080p50, \"a|b\"".into(),
            size: Some((1_920, 1_080)),
            frame_rate: Some(29.97),
            bandwidth: Some(6_000_000),
            codecs: "avc1.640028,mp4a.40.2".into(),
        };
        let bare = RungName {
            kind: RungKind::Subtitles,
            label: "subtitles en".into(),
            size: None,
            frame_rate: None,
            bandwidth: None,
            codecs: "".into(),
        };
        for known in [full, bare] {
            assert_eq!(name(&text(&known)), Some(known));
        }
        let empty = r#"["","","","","","",""]"#;
        assert_eq!(["variant", "[]", empty].map(name), [None, None, None]);
    }
}
