//! The planner's judgement: what can't fit one screen is split over several, and the words follow what they are about.
//!
//! Long lists, programs and tables become parts; a screen that is full is emptied before the next thing comes. Of words
//! that were to be spoken over several screens, each gets its share, in sentences.

use std::collections::BTreeMap;

use crate::draft::{Shown, Step, StepKind};
use crate::sentence;
use crate::storyboard::{Action, Bullets, Code, ElementKind, Table};

/// What one screen holds: elements, and of them those that want half of it.
const MOST_ELEMENTS: usize = 4;
const MOST_LARGE: usize = 2;
/// What one list, program or table holds: items, lines, rows and columns that are read from the back of a room.
const MOST_ITEMS: usize = 8;
const MOST_LINES: usize = 18;
const MOST_ROWS: usize = 8;
const MOST_COLUMNS: usize = 6;

/// The same steps, with long elements in parts and full screens emptied.
pub(crate) fn fitted(steps: Vec<Step>) -> Vec<Step> {
    let mut screen = Screen::default();
    let mut out = Vec::new();
    // What is shown before the next words: screens of steps.
    let mut waiting: Vec<Vec<Step>> = vec![Vec::new()];
    for step in steps {
        let place = step.place;
        match step.kind {
            StepKind::Show(shown) => {
                for (index, part) in parts(shown).into_iter().enumerate() {
                    if index > 0 || screen.is_full_for(&part) {
                        let shown_here = waiting.last().is_some_and(|page| page.iter().any(Step::is_show));
                        if shown_here {
                            waiting.push(Vec::new());
                        }
                        screen = Screen::default();
                        push(&mut waiting, Step { place, kind: StepKind::Clear });
                    }
                    screen.put(&part);
                    push(&mut waiting, Step { place, kind: StepKind::Show(part) });
                }
            }
            StepKind::Clear => {
                screen = Screen::default();
                push(&mut waiting, Step { place, kind: StepKind::Clear });
            }
            StepKind::Act(action) => {
                screen.act(&action);
                push(&mut waiting, Step { place, kind: StepKind::Act(action) });
            }
            StepKind::Speak(words) => {
                let pages = std::mem::replace(&mut waiting, vec![Vec::new()]);
                let several = pages.len() > 1;
                let shares = sentence::shares(&words, pages.len());
                for (page, words) in pages.into_iter().zip(shares) {
                    let at = page.last().map_or(place, |step| step.place);
                    out.extend(page);
                    // A page that no sentence is left for stands long enough to be read.
                    if words.is_empty() {
                        out.push(Step { place: at, kind: StepKind::Hold(0) });
                    } else {
                        out.push(Step { place, kind: StepKind::Speak(words) });
                        out.extend(several.then_some(Step { place, kind: StepKind::Dwell }));
                    }
                }
            }
            StepKind::Dwell => out.push(Step { place, kind: StepKind::Dwell }),
            StepKind::Hold(ms) => {
                let pages = std::mem::replace(&mut waiting, vec![Vec::new()]);
                let each = ms / u32::try_from(pages.len()).unwrap_or(u32::MAX).max(1);
                for page in pages {
                    out.extend(page);
                    out.push(Step { place, kind: StepKind::Hold(each) });
                }
            }
        }
    }
    let pages = waiting.len();
    for (index, page) in waiting.into_iter().enumerate() {
        let place = page.last().map(|step| step.place);
        out.extend(page);
        if let (true, Some(place)) = (index + 1 < pages, place) {
            out.push(Step { place, kind: StepKind::Hold(0) });
        }
    }
    out
}

impl Step {
    fn is_show(&self) -> bool {
        matches!(self.kind, StepKind::Show(_))
    }
}

fn push(pages: &mut [Vec<Step>], step: Step) {
    if let Some(page) = pages.last_mut() {
        page.push(step);
    }
}

/// What stands on the screen: by name, or by number when it has none.
#[derive(Default)]
struct Screen {
    /// Whether each is large.
    there: BTreeMap<String, bool>,
    unnamed: usize,
}

impl Screen {
    fn is_full_for(&self, shown: &Shown) -> bool {
        if shown.from.as_ref().is_some_and(|from| self.there.contains_key(from)) {
            return false;
        }
        let large = self.there.values().filter(|large| **large).count() + usize::from(is_large(&shown.kind));
        self.there.len() >= MOST_ELEMENTS || (large > MOST_LARGE && !self.there.is_empty())
    }

    fn put(&mut self, shown: &Shown) {
        if let Some(from) = &shown.from {
            self.there.remove(from);
        }
        self.unnamed += 1;
        let name = shown.name.clone().unwrap_or_else(|| format!("\0{}", self.unnamed));
        self.there.insert(name, is_large(&shown.kind));
    }

    fn act(&mut self, action: &Action) {
        if let Action::Remove(name) = action {
            self.there.remove(name);
        }
    }
}

/// Whether an element wants half of the screen.
fn is_large(kind: &ElementKind) -> bool {
    match kind {
        ElementKind::Axes(_)
        | ElementKind::Image(_)
        | ElementKind::Drawing(_)
        | ElementKind::Graph(_)
        | ElementKind::Chart(_)
        | ElementKind::Space(_) => true,
        ElementKind::Bullets(list) => list.items.len() > MOST_ITEMS / 2,
        ElementKind::Code(code) => code.text.lines().count() > MOST_LINES / 2,
        ElementKind::Table(table) => table.rows.len() > MOST_ROWS / 2,
        ElementKind::Text(text) | ElementKind::Callout(text) => crate::draft::length(text) > 300,
        ElementKind::Equation(_) | ElementKind::NumberLine(_) | ElementKind::Placeholder(_) => false,
    }
}

/// An element, or the parts that it is shown in, one screen each. A part that begins anew on an empty screen has a name
/// of its own.
fn parts(shown: Shown) -> Vec<Shown> {
    let kinds = match &shown.kind {
        ElementKind::Bullets(list) if list.items.len() > MOST_ITEMS => list_parts(list),
        ElementKind::Code(code) if code.text.lines().count() > MOST_LINES => code_parts(code),
        ElementKind::Table(table) if table.rows.len() > MOST_ROWS || columns(table) > MOST_COLUMNS => {
            table_parts(table)
        }
        _ => return vec![shown],
    };
    let part = |(index, kind): (usize, ElementKind)| {
        let name =
            shown.name.as_ref().map(|name| if index == 0 { name.clone() } else { format!("{name}-{}", index + 1) });
        Shown { name, kind, from: None, ..shown.clone() }
    };
    kinds.into_iter().enumerate().map(part).collect()
}

/// Where `length` things are cut, in parts of at most `most` that are about as long as each other; `is_good` says
/// before which a cut is welcome.
fn cuts(length: usize, most: usize, is_good: impl Fn(usize) -> bool) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < length {
        let left = length - start;
        let parts = left.div_ceil(most);
        let even = start + left.div_ceil(parts);
        let latest = (start + most).min(length);
        // The welcome place next to an even one, and no part shorter than half of what there is room for.
        let earliest = start + left.div_ceil(parts).div_ceil(2);
        let welcome = (earliest..=latest).filter(|at| *at < length && is_good(*at));
        // Not so early that more parts are needed than without.
        let enough = welcome.filter(|at| (length - at).div_ceil(most) < parts);
        let end = if parts == 1 { length } else { enough.min_by_key(|at| at.abs_diff(even)).unwrap_or(even) };
        ranges.push(start..end);
        start = end;
    }
    ranges
}

fn list_parts(list: &Bullets) -> Vec<ElementKind> {
    let outer = |at: usize| list.items[at].level == 0;
    let part = |range: std::ops::Range<usize>| ElementKind::Bullets(Bullets { items: list.items[range].to_vec() });
    cuts(list.items.len(), MOST_ITEMS, outer).into_iter().map(part).collect()
}

fn code_parts(code: &Code) -> Vec<ElementKind> {
    let lines: Vec<&str> = code.text.split('\n').collect();
    // Before a line that follows an empty one.
    let paragraph = |at: usize| lines[at - 1].trim().is_empty() && !lines[at].trim().is_empty();
    let part = |range: std::ops::Range<usize>| {
        let within = |line: &u32| {
            let line = (*line as usize).checked_sub(1 + range.start)?;
            (line < range.len()).then_some(line as u32 + 1)
        };
        let highlighted = code.highlighted.iter().filter_map(within).collect();
        let text = lines[range.clone()].join("\n");
        ElementKind::Code(Code { language: code.language.clone(), text: text.trim_end().to_owned(), highlighted })
    };
    let parts = cuts(lines.len(), MOST_LINES, paragraph).into_iter();
    parts.filter(|range| lines[range.clone()].iter().any(|line| !line.trim().is_empty())).map(part).collect()
}

fn columns(table: &Table) -> usize {
    table.rows.iter().map(|row| row.cells.len()).chain([table.header.len()]).max().unwrap_or(0)
}

/// Rows in parts, under the same header; columns in parts, behind the same first one.
fn table_parts(table: &Table) -> Vec<ElementKind> {
    let columns = columns(table);
    let sides: Vec<Vec<usize>> = if columns > MOST_COLUMNS {
        let rest = cuts(columns - 1, MOST_COLUMNS - 1, |_| false).into_iter();
        rest.map(|range| std::iter::once(0).chain(range.map(|at| at + 1)).collect()).collect()
    } else {
        vec![(0..columns).collect()]
    };
    let mut parts = Vec::new();
    for rows in cuts(table.rows.len().max(1), MOST_ROWS, |_| false) {
        for side in &sides {
            let pick = |cells: &[crate::storyboard::RichText]| {
                let cell = |at: &usize| cells.get(*at).cloned().unwrap_or_else(|| crate::draft::plain(""));
                side.iter().map(cell).collect::<Vec<_>>()
            };
            let header = if table.header.is_empty() { Vec::new() } else { pick(&table.header) };
            let rows = table.rows.get(rows.clone()).unwrap_or_default().iter();
            let rows = rows.map(|row| crate::storyboard::TableRow { cells: pick(&row.cells) }).collect();
            let align = side.iter().map(|at| table.align.get(*at).map_or("left", String::as_str).to_owned()).collect();
            parts.push(ElementKind::Table(Table { header, rows, align }));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::plain;
    use crate::storyboard::{Bullet, Place, TableRow};

    const HERE: Place = Place { line: 1, column: 1 };

    fn show(kind: ElementKind) -> Step {
        Step::show(kind, HERE)
    }

    fn speak(words: &str) -> Step {
        Step { place: HERE, kind: StepKind::Speak(words.to_owned()) }
    }

    fn list(items: usize) -> ElementKind {
        let item = |n: usize| Bullet { level: 0, number: None, text: plain(format!("item {n}")) };
        ElementKind::Bullets(Bullets { items: (0..items).map(item).collect() })
    }

    fn text() -> ElementKind {
        ElementKind::Text(plain("words"))
    }

    fn outline(steps: Vec<Step>) -> String {
        let word = |step: &Step| match &step.kind {
            StepKind::Show(shown) => match &shown.kind {
                ElementKind::Bullets(list) => format!("list{}", list.items.len()),
                ElementKind::Code(code) => format!("code{}", code.text.lines().count()),
                ElementKind::Table(table) => format!("table{}x{}", table.rows.len(), columns(table)),
                kind => crate::draft::noun(kind).to_owned(),
            },
            StepKind::Act(_) => "act".to_owned(),
            StepKind::Speak(words) => format!("\"{words}\""),
            StepKind::Hold(ms) => format!("hold{ms}"),
            StepKind::Clear => "clear".to_owned(),
            StepKind::Dwell => String::new(),
        };
        let steps = fitted(steps).into_iter().filter(|step| !matches!(step.kind, StepKind::Dwell)).collect::<Vec<_>>();
        steps.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(outline(vec![show(list(8)), speak("One. Two.")]), "list8 \"One. Two.\"");
        assert_eq!(outline(vec![show(text()), show(text()), show(text()), show(text())]), "text text text text");
    }

    #[test]
    fn a_long_list_is_split_and_its_words_follow() {
        assert_eq!(
            outline(vec![show(list(20)), speak("One. Two. Three. Four.")]),
            "list7 \"One. Two.\" clear list7 \"Three.\" clear list6 \"Four.\""
        );
        assert_eq!(outline(vec![show(list(10)), speak("One.")]), "list5 \"One.\" clear list5 hold0");
        assert_eq!(outline(vec![show(list(10))]), "list5 hold0 clear list5");
    }

    #[test]
    fn a_fifth_element_finds_an_empty_screen() {
        let four = || (0..4).map(|_| show(text()));
        let steps = four().chain([speak("One."), show(text()), speak("Two.")]).collect();
        assert_eq!(outline(steps), "text text text text \"One.\" clear text \"Two.\"");
        let steps = four().chain(four()).chain(four()).chain([speak("One. Two. Three.")]).collect();
        let page = "text text text text";
        assert_eq!(outline(steps), format!("{page} \"One.\" clear {page} \"Two.\" clear {page} \"Three.\""));
    }

    #[test]
    fn programs_are_cut_at_empty_lines_and_keep_their_marks() {
        let text = (1..=30).map(|n| if n == 14 { String::new() } else { format!("line {n}") }).collect::<Vec<_>>();
        let code = Code { language: "py".to_owned(), text: text.join("\n"), highlighted: vec![3, 15, 30] };
        let parts = parts(Shown::of(ElementKind::Code(code)));
        let marks: Vec<_> = parts
            .iter()
            .map(|part| match &part.kind {
                ElementKind::Code(code) => (code.text.lines().count(), code.highlighted.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(marks, [(13, vec![3]), (16, vec![1, 16])]);
    }

    #[test]
    fn wide_and_long_tables_are_split_both_ways() {
        let row = || TableRow { cells: (0..20).map(|n| plain(n.to_string())).collect() };
        let table = Table { header: row().cells, rows: (0..10).map(|_| row()).collect(), align: Vec::new() };
        let steps = vec![show(ElementKind::Table(table))];
        let said = outline(steps);
        assert_eq!(said.matches("table5x").count(), 8, "{said}");
        assert!(!said.contains("x7") && said.contains("table5x6"), "{said}");
    }

    #[test]
    fn what_grows_needs_no_room() {
        let grow = |n: usize| {
            let from = (n > 0).then(|| format!("plot{}", n - 1));
            let shown = Shown { name: Some(format!("plot{n}")), from, ..Shown::of(text()) };
            Step { place: HERE, kind: StepKind::Show(shown) }
        };
        assert!(!outline((0..9).map(grow).collect()).contains("clear"));
    }
}
