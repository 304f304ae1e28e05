//! Image of many numbers, kept up by their changes: a record holds the changes, a replay sets the numbers again.
//!
//! * A walk visits all numbers in one fixed order. The same code walks in both directions, so no number can be recorded
//!   and forgotten by the replay, or the other way round.
//! * A number is known by its place in the walk. Tables that are not allocated are skipped, with all their places.
//! * Of hundreds of thousands of numbers few change within a moment. The changes are pairs: the places since the change
//!   before, and the difference to the value before, which wraps.
//! * A text is set once and then stays. Texts have places of their own.

use super::atomics::{AtomicU64, Ordering};
use super::single_writer_cell::SingleWriterCell;

/// Largest value that a replay puts into a counter: JSON keeps its digits, and sums over all workers do not overflow.
pub const LARGEST: u64 = 1 << 53;
/// Numbers that are allocated at once: most tables are large and nearly empty.
const CHUNK: usize = 64;

/// Numbers that a walk visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// All.
    #[default]
    Whole,
    /// All but the large tables, which take longest.
    Light,
}

/// Changes since an earlier image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Pairs of the distance to the place before and the difference.
    pub numbers: Vec<i64>,
    /// New texts with their places, ascending.
    pub texts: Vec<(u64, String)>,
}

/// Changes that fit no walk of this program.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit;

/// The last known values.
#[derive(Debug, Default)]
pub struct Image {
    chunks: Vec<Option<Box<[u64; CHUNK]>>>,
    /// Places of texts that have been recorded.
    texts: Vec<bool>,
}

impl Image {
    /// Returns what has changed since the last call; `walk` visits everything.
    pub fn record(&mut self, depth: Depth, walk: impl FnOnce(&mut Walk<'_>)) -> Changes {
        let mut changes = Changes::default();
        walk(&mut Walk::new(self, depth, Direction::Record { last: 0, changes: &mut changes }));
        changes
    }

    /// Sets what has changed; `walk` visits everything in the same order as the walk that was recorded.
    ///
    /// # Errors
    /// Fails if there are changes at places that the walk does not have. The others have been made.
    pub fn replay(
        &mut self,
        depth: Depth,
        changes: &Changes,
        walk: impl FnOnce(&mut Walk<'_>),
    ) -> Result<(), Misfit> {
        let mut numbers = Numbers { next: None, rest: &changes.numbers };
        numbers.advance(0);
        let mut walk_over = Walk::new(self, depth, Direction::Replay { numbers, texts: &changes.texts });
        walk(&mut walk_over);
        if walk_over.is_done() { Ok(()) } else { Err(Misfit) }
    }

    fn get(&self, place: usize) -> u64 {
        let chunk = self.chunks.get(place / CHUNK).and_then(Option::as_ref);
        chunk.and_then(|chunk| chunk.get(place % CHUNK)).copied().unwrap_or_default()
    }

    fn set(&mut self, place: usize, value: u64) {
        let number = place / CHUNK;
        if self.chunks.len() <= number {
            self.chunks.resize_with(number + 1, || None);
        }
        let chunk =
            self.chunks.get_mut(number).map(|chunk| chunk.get_or_insert_with(|| Box::new([0; CHUNK])));
        if let Some(known) = chunk.and_then(|chunk| chunk.get_mut(place % CHUNK)) {
            *known = value;
        }
    }
}

/// Changes that a replay has not come to yet.
#[derive(Debug)]
struct Numbers<'a> {
    /// Place and difference of the next one.
    next: Option<(usize, u64)>,
    rest: &'a [i64],
}

impl Numbers<'_> {
    /// Takes the next change, which is counted from this place.
    fn advance(&mut self, place: usize) {
        self.next = None;
        let [distance, difference, rest @ ..] = self.rest else { return };
        let place = usize::try_from(*distance).ok().and_then(|more| place.checked_add(more));
        // No walk has the last place: a distance that leads nowhere is a change that is never made.
        self.next = Some((place.unwrap_or(usize::MAX), difference.cast_unsigned()));
        self.rest = rest;
    }
}

#[derive(Debug)]
enum Direction<'a> {
    Record { last: usize, changes: &'a mut Changes },
    Replay { numbers: Numbers<'a>, texts: &'a [(u64, String)] },
}

/// A walk over all numbers and texts, in either direction.
#[derive(Debug)]
pub struct Walk<'a> {
    image: &'a mut Image,
    depth: Depth,
    place: usize,
    text_place: usize,
    direction: Direction<'a>,
}

impl<'a> Walk<'a> {
    fn new(image: &'a mut Image, depth: Depth, direction: Direction<'a>) -> Self {
        Self { image, depth, place: 0, text_place: 0, direction }
    }

    /// Visits the next number, whose value is `now`. Returns the value to set, if a replay has another one for it.
    #[inline]
    pub fn visit(&mut self, now: u64) -> Option<u64> {
        let place = self.place;
        self.place += 1;
        let before = self.image.get(place);
        match &mut self.direction {
            Direction::Record { last, changes } => {
                if now != before {
                    let distance = (place - *last) as i64;
                    changes.numbers.extend([distance, now.wrapping_sub(before).cast_signed()]);
                    *last = place;
                    self.image.set(place, now);
                }
                None
            }
            Direction::Replay { numbers, .. } => {
                let (_, difference) = numbers.next.filter(|(next, _)| *next == place)?;
                numbers.advance(place);
                let value = before.wrapping_add(difference);
                self.image.set(place, value);
                Some(value)
            }
        }
    }

    /// Visits a number that its readers take away: a replay sets it again each time.
    pub fn visit_taken(&mut self, now: u64) -> Option<u64> {
        let place = self.place;
        self.visit(now);
        matches!(self.direction, Direction::Replay { .. }).then(|| self.image.get(place))
    }

    /// Visits a counter or a time.
    #[inline]
    pub fn cell(&mut self, cell: &SingleWriterCell) {
        if let Some(value) = self.visit(cell.get_acquire()) {
            cell.set_release(value.min(LARGEST));
        }
    }

    /// Visits a word that packs several values.
    #[inline]
    pub fn word(&mut self, cell: &SingleWriterCell) {
        if let Some(value) = self.visit(cell.get_acquire()) {
            cell.set_release(value);
        }
    }

    /// Visits a counter that several threads write.
    pub fn atomic(&mut self, cell: &AtomicU64) {
        if let Some(value) = self.visit(cell.load(Ordering::Acquire)) {
            cell.store(value.min(LARGEST), Ordering::Release);
        }
    }

    /// Visits a plain number.
    pub fn number(&mut self, value: &mut u64) {
        if let Some(new) = self.visit(*value) {
            *value = new.min(LARGEST);
        }
    }

    /// Visits a number that may be unknown.
    pub fn option(&mut self, value: &mut Option<u64>) {
        if let Some(new) = self.visit(value.map_or(0, |value| value.saturating_add(1))) {
            *value = new.checked_sub(1).map(|new| new.min(LARGEST));
        }
    }

    /// Visits a fraction that may be unknown.
    pub fn fraction(&mut self, value: &mut Option<f64>) {
        if let Some(new) = self.visit(value.map_or(0, |value| value.to_bits().wrapping_add(1))) {
            let new = new.checked_sub(1).map(f64::from_bits);
            *value = new.filter(|new| new.is_finite() && new.abs() <= LARGEST as f64);
        }
    }

    /// Visits the next text, if it is set. Returns the text to set, if a replay has one for it.
    pub fn text(&mut self, now: Option<&str>) -> Option<&'a str> {
        let place = self.text_place;
        self.text_place += 1;
        match &mut self.direction {
            Direction::Record { changes, .. } => {
                let known = &mut self.image.texts;
                if let Some(text) = now
                    && known.get(place) != Some(&true)
                {
                    known.resize(known.len().max(place + 1), false);
                    known.get_mut(place).into_iter().for_each(|known| *known = true);
                    changes.texts.push((place as u64, text.to_owned()));
                }
                None
            }
            Direction::Replay { texts, .. } => {
                let all = *texts;
                let [(next, text), rest @ ..] = all else { return None };
                if *next != place as u64 {
                    return None;
                }
                *texts = rest;
                Some(text)
            }
        }
    }

    /// Reports whether the walk passes over large tables.
    pub fn is_light(&self) -> bool {
        self.depth == Depth::Light
    }

    /// Returns the place of the next number.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Reports whether the next `numbers`, which change only together with those from the place `from` on, are as they
    /// were.
    #[inline]
    pub fn is_still(&self, from: usize, numbers: usize) -> bool {
        match &self.direction {
            Direction::Record { last, changes } => changes.numbers.is_empty() || *last < from,
            Direction::Replay { .. } => !self.wants(numbers),
        }
    }

    /// Passes over a table of this many numbers.
    pub fn skip(&mut self, numbers: usize) {
        self.place += numbers;
    }

    /// Reports whether a replay changes one of the next `numbers`: a table of that length must be allocated then.
    pub fn wants(&self, numbers: usize) -> bool {
        match &self.direction {
            Direction::Record { .. } => false,
            Direction::Replay { numbers: changes, .. } => {
                changes.next.is_some_and(|(next, _)| (self.place..self.place + numbers).contains(&next))
            }
        }
    }

    /// Reports whether no change of a replay is left.
    fn is_done(&self) -> bool {
        match &self.direction {
            Direction::Record { .. } => true,
            Direction::Replay { numbers, texts } => {
                numbers.next.is_none() && numbers.rest.is_empty() && texts.is_empty()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three cells, and a table that is allocated when it is needed.
    #[derive(Debug, Default, PartialEq)]
    struct Numbers {
        known: [u64; 3],
        table: Option<[u64; 4]>,
        share: Option<f64>,
        name: Option<String>,
    }

    impl Numbers {
        fn walk(&mut self, walk: &mut Walk<'_>) {
            self.known.iter_mut().for_each(|number| walk.number(number));
            if self.table.is_some() || walk.wants(4) {
                self.table.get_or_insert_default().iter_mut().for_each(|number| walk.number(number));
            } else {
                walk.skip(4);
            }
            walk.fraction(&mut self.share);
            if let Some(name) = walk.text(self.name.as_deref()) {
                self.name = Some(name.to_owned());
            }
        }
    }

    #[test]
    fn a_replay_of_all_changes_gives_the_same_numbers() {
        let (mut from, mut to) = (Numbers::default(), Numbers::default());
        let (mut record, mut replay) = (Image::default(), Image::default());
        let mut moment = |from: &mut Numbers| {
            let changes = record.record(Depth::Whole, |walk| from.walk(walk));
            assert_eq!(replay.replay(Depth::Whole, &changes, |walk| to.walk(walk)), Ok(()));
            assert_eq!(*from, to);
            changes
        };
        assert_eq!(moment(&mut from), Changes::default());
        from.known = [0, 7, 900];
        assert_eq!(moment(&mut from).numbers, [1, 7, 1, 900]);
        (from.known[1], from.table, from.share) = (5, Some([0, 0, 0, 1]), Some(0.25));
        from.name = Some("a name".to_owned());
        let changes = moment(&mut from);
        assert_eq!(
            (&changes.numbers[..4], &changes.texts[..]),
            (&[1, -2, 5, 1][..], &[(0, "a name".to_owned())][..])
        );
        from.share = None;
        moment(&mut from);
    }

    #[test]
    fn changes_that_fit_no_place_are_refused_and_values_are_bounded() {
        let replay = |numbers: &[i64], texts: &[(u64, String)]| {
            let mut to = Numbers::default();
            let changes = Changes { numbers: numbers.to_vec(), texts: texts.to_vec() };
            (Image::default().replay(Depth::Whole, &changes, |walk| to.walk(walk)), to)
        };
        assert_eq!(replay(&[2, -1], &[]), (Ok(()), Numbers { known: [0, 0, LARGEST], ..Numbers::default() }));
        let nan = f64::NAN.to_bits().wrapping_add(1).cast_signed();
        assert_eq!(replay(&[7, nan], &[]), (Ok(()), Numbers::default()));
        for misfit in [&[8, 1][..], &[-1, 1], &[i64::MAX, 1, i64::MAX, 1], &[0, 1, 0, 1], &[1]] {
            assert_eq!(replay(misfit, &[]).0, Err(Misfit), "{misfit:?}");
        }
        assert_eq!(replay(&[], &[(1, String::new())]).0, Err(Misfit));
    }
}
