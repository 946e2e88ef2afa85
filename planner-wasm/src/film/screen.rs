//! Pagination: what can't fit one screen is split over several, and the words follow what they are about.
//!
//! Long lists, programs and tables become parts; a screen that is full is emptied before the next thing comes. Of words
//! that were to be spoken over several screens, each gets its share, in sentences.

use std::collections::BTreeMap;

use crate::film::continuity;
use crate::film::draft::{NAMELESS, Shown, Step, StepKind, target};
use crate::storyboard::{Action, Bullets, Code, ElementKind, Highlight, Place, RichText, Span, Table};
use crate::text::{line_numbers, sentence};

/// What one screen holds: elements, and of them those that want half of it.
const MOST_ELEMENTS: usize = 4;
const MOST_LARGE: usize = 2;
/// What one list, program or table holds: items, lines, rows and columns that can be read from the last row.
const MOST_ITEMS: usize = 8;
const MOST_LINES: usize = 18;
const MOST_ROWS: usize = 8;
/// Lines of several programs that stand below each other, each in a panel of its own.
const MOST_LINES_TOGETHER: usize = 14;
const MOST_COLUMNS: usize = 6;

/// The same steps, with long elements in parts and full screens emptied.
pub(crate) fn fitted(steps: Vec<Step>) -> Vec<Step> {
    let mut pages = Paginator {
        screen: Screen::default(),
        waiting: vec![Vec::new()],
        last: 0,
        named: Vec::new(),
        latest: None,
        unnamed: 0,
        last_of_screen: false,
        out: Vec::new(),
    };
    // Whether something else is shown after each step, before the author empties the screen.
    let mut more = false;
    let mut after = steps
        .iter()
        .rev()
        .map(|step| {
            let here = more;
            more = step.is_show() || (more && !matches!(step.kind, StepKind::Clear));
            here
        })
        .collect::<Vec<_>>();
    for step in steps {
        pages.last_of_screen = after.pop() == Some(false);
        pages.step(step);
    }
    pages.finish()
}

impl Step {
    pub(crate) fn is_show(&self) -> bool {
        matches!(self.kind, StepKind::Show(_))
    }
}

/// Screens in the making.
struct Paginator {
    screen: Screen,
    /// What is shown before the next words: screens of steps.
    waiting: Vec<Vec<Step>>,
    /// Of these, the one on which the last element begins.
    last: usize,
    /// What the author can speak of, since the author last emptied the screen.
    named: Vec<Named>,
    /// What came last, when something may grow out of it, and whether words came since.
    latest: Option<(Shown, bool)>,
    /// Names that were given to what has none.
    unnamed: usize,
    /// Whether the author shows nothing after this step before the screen is emptied.
    last_of_screen: bool,
    out: Vec<Step>,
}

/// Something with a name, and its parts: one, or several of a long one.
struct Named {
    name: String,
    parts: Vec<Part>,
}

/// A part of an element.
struct Part {
    name: String,
    /// The screen that it is on, of those that wait; none when it came with earlier words.
    page: Option<usize>,
    /// Of a long element: what it is, and how many lines of a program come before it.
    piece: Option<(Shown, usize)>,
}

impl Paginator {
    fn step(&mut self, step: Step) {
        let Step { place, kind } = step;
        if let (Some((_, seen)), StepKind::Speak(_) | StepKind::SpeakAfter(_) | StepKind::Hold(_)) =
            (&mut self.latest, &kind)
        {
            *seen = true;
        }
        match kind {
            StepKind::Show(shown) => self.show(shown, place),
            StepKind::Clear => {
                self.named.clear();
                self.new_screen(place);
            }
            StepKind::Act(action) => self.act(action, place),
            StepKind::SpeakAfter(words) => {
                let last = std::mem::take(&mut self.last).min(self.waiting.len() - 1);
                let after = self.waiting.split_off(last);
                for page in std::mem::replace(&mut self.waiting, after) {
                    let at = page.last().map_or(place, |step| step.place);
                    self.out.extend(page);
                    self.out.push(Step { place: at, kind: StepKind::Hold(0) });
                }
                self.step(Step { place, kind: StepKind::Speak(words) });
            }
            StepKind::Speak(words) => {
                let pages = self.turn();
                let several = pages.len() > 1;
                let shares = sentence::shares(&words, pages.len());
                for (page, words) in pages.into_iter().zip(shares) {
                    let at = page.last().map_or(place, |step| step.place);
                    self.out.extend(page);
                    // A page that no sentence is left for stands long enough to be read.
                    if words.is_empty() {
                        self.out.push(Step { place: at, kind: StepKind::Hold(0) });
                    } else {
                        self.out.push(Step { place, kind: StepKind::Speak(words) });
                        self.out.extend(several.then_some(Step { place, kind: StepKind::Dwell }));
                    }
                }
            }
            StepKind::Dwell => self.out.push(Step { place, kind: StepKind::Dwell }),
            StepKind::Hold(ms) => {
                let pages = self.turn();
                let each = ms / u32::try_from(pages.len()).unwrap_or(u32::MAX).max(1);
                for page in pages {
                    self.out.extend(page);
                    self.out.push(Step { place, kind: StepKind::Hold(each) });
                }
            }
        }
    }

    fn push(&mut self, place: Place, kind: StepKind) {
        if let Some(page) = self.waiting.last_mut() {
            page.push(Step { place, kind });
        }
    }

    /// The screens that wait, which come with the next words.
    fn turn(&mut self) -> Vec<Vec<Step>> {
        self.named.iter_mut().flat_map(|named| &mut named.parts).for_each(|part| part.page = None);
        self.last = 0;
        std::mem::replace(&mut self.waiting, vec![Vec::new()])
    }

    /// An empty screen; what is on the one before is seen first.
    fn new_screen(&mut self, place: Place) {
        self.screen = Screen::default();
        self.latest = None;
        // An empty screen is not emptied again.
        let last = self.waiting.last().map(|page| (page.last(), page.iter().any(Step::is_show)));
        match last {
            Some((Some(Step { kind: StepKind::Clear, .. }), _)) => return,
            Some((_, true)) => self.waiting.push(Vec::new()),
            _ => {}
        }
        self.push(place, StepKind::Clear);
    }

    /// What is the last thing that was shown with a change grows out of that, unless its author says where it stands or what
    /// it comes from.
    fn continued(&mut self, mut shown: Shown) -> Shown {
        if !matches!(shown.kind, ElementKind::Code(_) | ElementKind::Axes(_)) || shown.placement.is_some() {
            self.latest = None;
            return shown;
        }
        if let (None, Some((before, true))) = (&shown.from, &self.latest)
            && before.style == shown.style
            && continuity::follows(&before.kind, &shown.kind)
        {
            shown.from.clone_from(&before.name);
            let name = before.name.clone();
            let waiting = self.waiting.iter_mut().rev().flat_map(|page| page.iter_mut().rev());
            let earlier = waiting.chain(self.out.iter_mut().rev()).find_map(|step| match &mut step.kind {
                StepKind::Show(earlier) if earlier.name == name => Some(earlier),
                _ => None,
            });
            if let Some(earlier) = earlier {
                continuity::named_early(&mut earlier.kind, &shown.kind);
            }
        }
        if shown.name.is_none() {
            self.unnamed += 1;
            shown.name = Some(format!("{NAMELESS}continued {}", self.unnamed));
        }
        self.latest = Some((shown.clone(), false));
        shown
    }

    fn show(&mut self, shown: Shown, place: Place) {
        // Nobody else knows of a name that it gets here.
        let name = shown.name.clone();
        let shown = self.continued(shown);
        let grown = shown.from.clone().filter(|from| self.screen.there.contains_key(from));
        let pieces = parts(shown);
        let long = pieces.len() > 1;
        let mut parts = Vec::new();
        for (index, (before, piece)) in pieces.into_iter().enumerate() {
            if index > 0 || self.screen.is_full_for(&piece, self.last_of_screen && !long) {
                self.new_screen(place);
            }
            self.screen.put(&piece);
            if index == 0 {
                self.last = self.waiting.len() - 1;
            }
            if let Some(name) = piece.name.clone() {
                let page = Some(self.waiting.len() - 1);
                parts.push(Part { name, page, piece: long.then(|| (piece.clone(), before)) });
            }
            self.push(place, StepKind::Show(piece));
        }
        // Whoever speaks of what it grew out of means it.
        if let (Some(from), [Part { name, page, .. }]) = (grown, parts.as_slice()) {
            let old = |named: &&mut Named| named.parts.iter().any(|part| part.name == from);
            for named in self.named.iter_mut().filter(old) {
                named.parts = vec![Part { name: name.clone(), page: *page, piece: None }];
            }
        }
        if let Some(name) = name {
            self.named.retain(|named| named.name != name);
            self.named.push(Named { name, parts });
        }
    }

    /// Something happens to what is there. What is about a long element is about the parts that it is meant for; what is
    /// pointed at on a screen that still waits is pointed at there, and comes again when it is gone.
    fn act(&mut self, mut action: Action, place: Place) {
        if !matches!(action, Action::Highlight(_)) {
            self.latest = None;
        }
        let named = target(&mut action).and_then(|name| self.named.iter().find(|named| named.name == *name));
        let meant = named.map_or_else(Vec::new, |named| named.meant(&action));
        if meant.is_empty() {
            return self.push(place, StepKind::Act(action));
        }
        for PartAction { name, page, again, action } in meant {
            let earlier = page.filter(|page| page + 1 < self.waiting.len());
            match (&action, earlier) {
                // It leaves with its screen.
                (Action::Remove(_) | Action::Dim(_), Some(_)) => continue,
                (Action::Highlight(_) | Action::Move(_), Some(page)) => {
                    self.waiting[page].push(Step { place, kind: StepKind::Act(action) });
                    continue;
                }
                (Action::Remove(_), None) => drop(self.screen.there.remove(&name)),
                _ => {}
            }
            if let Some(piece) = again.filter(|_| !self.screen.there.contains_key(&name)) {
                self.new_screen(place);
                self.screen.put(&piece);
                self.push(place, StepKind::Show(piece));
            }
            self.push(place, StepKind::Act(action));
        }
    }

    /// All steps; what no words came for stands long enough to be read.
    fn finish(mut self) -> Vec<Step> {
        let pages = self.waiting.len();
        for (index, page) in self.waiting.into_iter().enumerate() {
            let place = page.last().map(|step| step.place);
            self.out.extend(page);
            if let (true, Some(place)) = (index + 1 < pages, place) {
                self.out.push(Step { place, kind: StepKind::Hold(0) });
            }
        }
        self.out
    }
}

/// An action about one part of an element.
struct PartAction {
    name: String,
    page: Option<usize>,
    /// What is to be shown for it, should it be gone.
    again: Option<Shown>,
    action: Action,
}

impl Named {
    /// The action for each part that it is about: those that hold what is pointed at. What is about the whole is about all parts
    /// that still wait, and the last one, which stays.
    fn meant(&self, action: &Action) -> Vec<PartAction> {
        let of = |part: &Part, mut action: Action| {
            if let Some(name) = target(&mut action) {
                name.clone_from(&part.name);
            }
            PartAction { name: part.name.clone(), page: part.page, again: None, action }
        };
        if let Action::Highlight(highlight) = action
            && let Some(wanted) = &highlight.part
        {
            let holds = |part: &Part| {
                let (shown, before) = part.piece.as_ref()?;
                let highlight = Highlight { part: Some(within(&shown.kind, *before, wanted)?), ..highlight.clone() };
                let again = Some(Shown { timing: None, ..shown.clone() });
                Some(PartAction { again, ..of(part, Action::Highlight(highlight)) })
            };
            let found: Vec<PartAction> = self.parts.iter().filter_map(holds).collect();
            if !found.is_empty() {
                return found;
            }
        }
        let all = matches!(action, Action::Highlight(_) | Action::Move(_));
        let last = self.parts.len().saturating_sub(1);
        let about = |(at, part): &(usize, &Part)| *at == last || (all && part.page.is_some());
        self.parts.iter().enumerate().filter(about).map(|(_, part)| of(part, action.clone())).collect()
    }
}

/// What is wanted of a long element as a part of it has it: lines of a program by their numbers there, other things in their
/// own words. None when the part doesn't hold it; `before` is how many lines come before it.
fn within(kind: &ElementKind, before: usize, wanted: &str) -> Option<String> {
    let has = |text: &str| text.to_lowercase().contains(&wanted.to_lowercase());
    let holds = match kind {
        ElementKind::Code(code) if wanted.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '-' | ' ')) => {
            let here = here(&line_numbers::marked(&format!("{{{wanted}}}")), before, code.text.lines().count());
            return match here.as_slice() {
                [] => None,
                [one] => Some(one.to_string()),
                [first, .., last] if (last - first) as usize == here.len() - 1 => Some(format!("{first}-{last}")),
                several => Some(several.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
            };
        }
        ElementKind::Code(code) => has(&code.text),
        ElementKind::Bullets(list) => list.items.iter().any(|item| has(&words(&item.text))),
        ElementKind::Table(table) => {
            let cells = table.header.iter().chain(table.rows.iter().flat_map(|row| &row.cells));
            cells.into_iter().any(|cell| has(&words(cell)))
        }
        _ => false,
    };
    holds.then(|| wanted.to_owned())
}

/// Those of a program's lines that stand in a part of it, as the part counts them: from 1, after `before` others, `count` of
/// them.
fn here(lines: &[u32], before: usize, count: usize) -> Vec<u32> {
    let own = |line: &u32| (*line as usize).checked_sub(before).filter(|line| (1..=count).contains(line));
    lines.iter().filter_map(own).map(|line| line as u32).collect()
}

fn words(text: &RichText) -> String {
    let word = |span: &Span| match span {
        Span::Plain(text) | Span::Strong(text) | Span::Emphasis(text) | Span::Code(text) => text.clone(),
        Span::Math(formula) => latex_reader::written(&formula.latex),
    };
    text.spans.iter().map(word).collect()
}

/// What stands on the screen: by name, or by number when it has none.
#[derive(Default)]
struct Screen {
    /// Whether each is large, and how many lines of a program it has.
    there: BTreeMap<String, (bool, usize)>,
    unnamed: usize,
}

impl Screen {
    /// `last` says that nothing comes after it: something small has no screen of its own then, where it would stand alone.
    fn is_full_for(&self, shown: &Shown, last: bool) -> bool {
        if shown.from.as_ref().is_some_and(|from| self.there.contains_key(from)) {
            return false;
        }
        let large = self.there.values().filter(|(large, _)| *large).count() + usize::from(is_large(&shown.kind));
        let (before, lines) = (self.there.values().map(|(_, lines)| lines).sum::<usize>(), lines_of(&shown.kind));
        // Programs stand below each other.
        if before > 0 && lines > 0 && before + lines > MOST_LINES_TOGETHER {
            return true;
        }
        let most = MOST_ELEMENTS + usize::from(last && is_small(&shown.kind));
        self.there.len() >= most || (large > MOST_LARGE && !self.there.is_empty())
    }

    fn put(&mut self, shown: &Shown) {
        if let Some(from) = &shown.from {
            self.there.remove(from);
        }
        self.unnamed += 1;
        let name = shown.name.clone().unwrap_or_else(|| format!("\0{}", self.unnamed));
        self.there.insert(name, (is_large(&shown.kind), lines_of(&shown.kind)));
    }
}

/// Lines of a program; 0 of other things.
fn lines_of(kind: &ElementKind) -> usize {
    if let ElementKind::Code(code) = kind { code.text.lines().count().max(1) } else { 0 }
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
        ElementKind::Text(text) | ElementKind::Callout(text) => crate::text::length(text) > 300,
        ElementKind::Equation(_) | ElementKind::NumberLine(_) | ElementKind::Placeholder(_) => false,
    }
}

/// Whether an element takes but a line or two.
fn is_small(kind: &ElementKind) -> bool {
    match kind {
        ElementKind::Bullets(list) => list.items.len() <= 2,
        ElementKind::Text(text) | ElementKind::Callout(text) => crate::text::length(text) <= 80,
        _ => false,
    }
}

/// An element, or the parts that it is shown in, one screen each, and how many lines of a program come before each. A part
/// that begins anew on an empty screen has a name of its own.
fn parts(shown: Shown) -> Vec<(usize, Shown)> {
    let whole = |kinds: Vec<ElementKind>| kinds.into_iter().map(|kind| (0, kind)).collect();
    let kinds: Vec<(usize, ElementKind)> = match &shown.kind {
        ElementKind::Bullets(list) if list.items.len() > MOST_ITEMS => whole(list_parts(list)),
        ElementKind::Code(code) if code.text.lines().count() > MOST_LINES => code_parts(code),
        ElementKind::Table(table) if table.rows.len() > MOST_ROWS || columns(table) > MOST_COLUMNS => {
            whole(table_parts(table))
        }
        _ => return vec![(0, shown)],
    };
    let part = |(index, (before, kind)): (usize, (usize, ElementKind))| {
        let name =
            shown.name.as_ref().map(|name| if index == 0 { name.clone() } else { format!("{name}-{}", index + 1) });
        (before, Shown { name, kind, from: None, ..shown.clone() })
    };
    kinds.into_iter().enumerate().map(part).collect()
}

/// Whether one screen holds an element.
pub(crate) fn is_whole(kind: &ElementKind) -> bool {
    parts(Shown::of(kind.clone())).len() == 1
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

/// Each with the number of lines before it.
fn code_parts(code: &Code) -> Vec<(usize, ElementKind)> {
    let lines: Vec<&str> = code.text.split('\n').collect();
    // Before a line that follows an empty one.
    let paragraph = |at: usize| lines[at - 1].trim().is_empty() && !lines[at].trim().is_empty();
    let part = |range: std::ops::Range<usize>| {
        let before = range.start;
        let text = lines[range].join("\n").trim_end().to_owned();
        // The empty lines at its end are gone, and with them their marks.
        let highlighted = here(&code.highlighted, before, text.lines().count());
        (before, ElementKind::Code(Code { language: code.language.clone(), text, highlighted }))
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
                let cell = |at: &usize| cells.get(*at).cloned().unwrap_or_else(|| crate::text::plain(""));
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
    use crate::storyboard::{Bullet, Place, TableRow};
    use crate::text::plain;

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
                kind => crate::film::draft::noun(kind).to_owned(),
            },
            StepKind::Act(_) => "act".to_owned(),
            StepKind::Speak(words) | StepKind::SpeakAfter(words) => format!("\"{words}\""),
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
        let equation = || {
            let latex = "x = 1".to_owned();
            show(ElementKind::Equation(crate::storyboard::Equation {
                formula: crate::storyboard::Formula { latex },
                spoken: Vec::new(),
            }))
        };
        let steps = four().chain([speak("One."), equation(), speak("Two.")]).collect();
        assert_eq!(outline(steps), "text text text text \"One.\" clear equation \"Two.\"");
        // A last small one would stand alone there.
        let steps = four().chain([speak("One."), show(text()), speak("Two.")]).collect();
        assert_eq!(outline(steps), "text text text text \"One.\" text \"Two.\"");
        let steps = four().chain(four()).chain(four()).chain([speak("One. Two. Three.")]).collect();
        let page = "text text text text";
        assert_eq!(outline(steps), format!("{page} \"One.\" clear {page} \"Two.\" clear {page} \"Three.\""));
    }

    #[test]
    fn what_the_author_clears_is_seen_before() {
        let clear = || Step { place: HERE, kind: StepKind::Clear };
        let steps = vec![show(text()), clear(), show(list(2)), speak("One. Two.")];
        assert_eq!(outline(steps), "text \"One.\" clear list2 \"Two.\"");
        assert_eq!(outline(vec![clear(), show(text()), speak("One. Two.")]), "clear text \"One. Two.\"");
    }

    #[test]
    fn words_of_a_lesson_come_after_what_stands_before_them() {
        let after = |words: &str| Step { place: HERE, kind: StepKind::SpeakAfter(words.to_owned()) };
        let five = || (0..5).map(|_| show(text()));
        let page = "text text text text";
        let steps = five().chain([after("One. Two."), show(text()), after("Three.")]).collect();
        assert_eq!(outline(steps), format!("{page} hold0 clear text \"One. Two.\" text \"Three.\""));
        // Parts of one element have their shares.
        assert_eq!(outline(vec![show(list(10)), after("One. Two.")]), "list5 \"One.\" clear list5 \"Two.\"");
        let steps = five().chain([show(list(10)), after("One. Two.")]).collect();
        assert_eq!(outline(steps), format!("{page} hold0 clear text list5 \"One.\" clear list5 \"Two.\""));
    }

    #[test]
    fn programs_are_cut_at_empty_lines_and_keep_their_marks() {
        let text = (1..=30).map(|n| if n == 14 { String::new() } else { format!("line {n}") }).collect::<Vec<_>>();
        let code = Code { language: "py".to_owned(), text: text.join("\n"), highlighted: vec![3, 15, 30] };
        let parts = parts(Shown::of(ElementKind::Code(code)));
        let marks: Vec<_> = parts
            .iter()
            .map(|(before, part)| match &part.kind {
                ElementKind::Code(code) => (*before, code.text.lines().count(), code.highlighted.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        // The fourteenth line is empty, and not shown at the end of its part.
        assert_eq!(marks, [(0, 13, vec![3]), (14, 16, vec![1, 16])]);
    }

    fn pointed(steps: Vec<Step>) -> String {
        let word = |step: Step| match step.kind {
            StepKind::Show(shown) => format!("show {}", shown.name.unwrap_or_default()),
            StepKind::Act(Action::Highlight(highlight)) => {
                format!("point {} {}", highlight.target, highlight.part.unwrap_or_default())
            }
            StepKind::Act(action) => format!("{action:?}").to_lowercase(),
            StepKind::Speak(words) | StepKind::SpeakAfter(words) => format!("say {words}"),
            StepKind::Clear => "clear".to_owned(),
            StepKind::Hold(_) | StepKind::Dwell => String::new(),
        };
        fitted(steps).into_iter().map(word).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("; ")
    }

    fn named(name: &str, kind: ElementKind) -> Step {
        let shown = Shown { name: Some(name.to_owned()), ..Shown::of(kind) };
        Step { place: HERE, kind: StepKind::Show(shown) }
    }

    fn point(name: &str, part: Option<&str>) -> Step {
        let part = part.map(str::to_owned);
        let highlight = Highlight { target: name.to_owned(), part, colour: None, timing: None };
        Step { place: HERE, kind: StepKind::Act(Action::Highlight(highlight)) }
    }

    fn program() -> ElementKind {
        let text = (1..=40).map(|n| format!("x = {n}")).collect::<Vec<_>>().join("\n");
        ElementKind::Code(Code { language: String::new(), text, highlighted: Vec::new() })
    }

    #[test]
    fn what_is_pointed_at_is_pointed_at_where_it_is_shown() {
        let steps = vec![
            named("c", program()),
            point("c", Some("4-5")),
            point("c", Some("13, 16-17")),
            speak("One. Two. Three."),
        ];
        assert_eq!(
            pointed(steps),
            "show c; point c 4-5; point c 13; say One.; clear; show c-2; point c-2 2-3; say Two.; clear; show c-3; say Three."
        );
        let steps = vec![named("l", list(20)), point("l", Some("Item 9")), point("l", None), speak("One. Two. Three.")];
        assert_eq!(
            pointed(steps),
            "show l; point l ; say One.; clear; show l-2; point l-2 Item 9; point l-2 ; say Two.; clear; show l-3; point l-3 ; say Three."
        );
        // An element that had to leave the screen for others.
        let long = || ElementKind::Text(plain("words ".repeat(20)));
        let others = (0..4).map(|n| named(&format!("t{n}"), long()));
        let steps =
            std::iter::once(named("a", text())).chain(others).chain([point("a", None), speak("One. Two.")]).collect();
        assert_eq!(pointed(steps), "show a; show t0; show t1; show t2; point a ; say One.; clear; show t3; say Two.");
    }

    #[test]
    fn a_part_that_is_gone_comes_again_when_it_is_pointed_at() {
        let steps = vec![
            named("c", program()),
            speak("One. Two. Three."),
            point("c", Some("4")),
            speak("Four."),
            point("c", Some("40")),
        ];
        let shown = "show c; say One.; clear; show c-2; say Two.; clear; show c-3; say Three.";
        assert_eq!(
            pointed(steps),
            format!("{shown}; clear; show c; point c 4; say Four.; clear; show c-3; point c-3 13")
        );
        // What the author took away stays away.
        let clear = Step { place: HERE, kind: StepKind::Clear };
        let steps = vec![named("c", program()), speak("One. Two. Three."), clear, point("c", Some("4"))];
        assert_eq!(pointed(steps), format!("{shown}; clear; point c 4"));
    }

    #[test]
    fn what_leaves_with_its_screen_is_not_taken_away_before() {
        let gone = |name: &str| Step { place: HERE, kind: StepKind::Act(Action::Remove(name.to_owned())) };
        let steps = vec![named("c", program()), gone("c"), speak("One. Two. Three.")];
        let shown = "show c; say One.; clear; show c-2; say Two.; clear; show c-3";
        assert_eq!(pointed(steps), format!("{shown}; remove(\"c-3\"); say Three."));
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
    fn a_program_that_changes_grows_out_of_what_is_there() {
        let lines = |count: usize, last: &str| {
            let text = (1..count).map(|n| format!("x = {n}")).chain([last.to_owned()]).collect::<Vec<_>>().join("\n");
            show(ElementKind::Code(Code { language: "python".to_owned(), text, highlighted: Vec::new() }))
        };
        let grown = |steps: Vec<Step>| {
            let of = |step: &Step| matches!(&step.kind, StepKind::Show(Shown { from: Some(_), .. }));
            fitted(steps).iter().filter(|step| of(step)).count()
        };
        assert_eq!(grown(vec![lines(6, "y"), speak("One."), lines(6, "z"), speak("Two.")]), 1);
        // What nobody has seen yet, what stands elsewhere, and what is on another screen does not.
        assert_eq!(grown(vec![lines(6, "y"), lines(6, "z"), speak("Two.")]), 0);
        assert_eq!(grown(vec![lines(6, "y"), speak("One."), show(text()), lines(6, "z"), speak("Two.")]), 0);
        let plot = |curves: &[(&str, &str)]| {
            let axis = || crate::storyboard::Axis { min: 0.0, max: 1.0, step: 0.5, label: String::new() };
            let curve = |(source, label): &(&str, &str)| crate::storyboard::Curve {
                kind: crate::storyboard::CurveKind::Function(crate::storyboard::Expression {
                    source: (*source).to_owned(),
                    postfix: Vec::new(),
                }),
                label: (*label).to_owned(),
                colour: None,
            };
            let curves = curves.iter().map(curve).collect();
            let axes = crate::storyboard::Axes { x: axis(), y: axis(), curves, caption: String::new(), legend: false };
            show(ElementKind::Axes(axes))
        };
        let two = || plot(&[("x", "y = x"), ("x^2", "y = x^2")]);
        assert_eq!(grown(vec![plot(&[("x", "")]), speak("One."), two(), speak("Two.")]), 1);
        assert_eq!(grown(vec![plot(&[("sin(x)", "")]), speak("One."), two(), speak("Two.")]), 0);
        let steps = fitted(vec![plot(&[("x", "")]), speak("One."), two(), speak("Two.")]);
        let StepKind::Show(Shown { kind: ElementKind::Axes(first), .. }) = &steps[0].kind else { panic!() };
        assert_eq!(first.curves[0].label, "y = x", "its label comes early, or it would be another curve");
        let clear = Step { place: HERE, kind: StepKind::Clear };
        assert_eq!(grown(vec![lines(6, "y"), speak("One."), clear, lines(6, "z"), speak("Two.")]), 0);
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
