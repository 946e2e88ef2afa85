//! Manim programs: the scene classes in them, found by reading their lines. Nothing is run.

use std::collections::BTreeSet;

use crate::document::language;
use crate::document::refusal;
use crate::document::settings::Settings;
use crate::film::FilmBuilder;
use crate::film::Warnings;
use crate::film::draft::{Draft, Step, StepKind};
use crate::inline;
use crate::storyboard::{FrameShape, ManimScene, Place, Refusal, SceneKind, Storyboard};
use crate::text::one_line;

/// A class that derives from a scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SceneClass {
    pub(crate) name: String,
    /// Its docstring, empty when it has none.
    pub(crate) docstring: String,
    /// Line of the `class` statement, from 0.
    line: usize,
}

/// Bytes of one program, and of the programs of all scenes together: each has the whole of it.
pub(crate) const LONGEST: usize = crate::check::PROGRAM;
const LONGEST_TOGETHER: usize = 8 << 20;
/// Lines longer than this hold no class statement that a person wrote.
const LONGEST_LINE: usize = 1_000;
/// Lines of a class statement.
const STATEMENT: usize = 10;
/// Lines that the text of one voiceover goes over.
const VOICEOVER_LINES: usize = 40;
/// How long a scene stands of which nothing is known, and the longest that is believed.
const UNKNOWN_MS: u32 = 5_000;
const LONGEST_MS: f64 = 60_000.0;

/// Makes a storyboard of a Manim program: every scene class in it, as it stands, narrated by its docstring.
///
/// # Errors
/// `input.no_scene_class`, `plan.too_large`.
pub(crate) fn plan(name: &str, text: &str) -> Result<Storyboard, Refusal> {
    let classes = scenes(text);
    if classes.is_empty() {
        let message = "the program has no class that derives from a `Scene`";
        let remedy = "Write `class Name(Scene):` with a method `construct`.";
        return Err(refusal("input.no_scene_class", message, remedy, Some(Place { line: 1, column: 1 })));
    }
    let (bytes, scenes) = (text.len(), classes.len());
    if bytes > LONGEST || bytes * scenes > LONGEST_TOGETHER {
        let message = match scenes {
            1 => format!("the program has {bytes} bytes; at most {LONGEST} are taken"),
            _ => format!("the program has {bytes} bytes and {scenes} scenes, each of which takes the whole of it"),
        };
        let remedy = "Split it into several programs; put data into files beside it.";
        return Err(refusal("plan.too_large", &message, remedy, Some(Place { line: 1, column: 1 })));
    }
    let title = title(name);
    let lines: Vec<&str> = text.lines().collect();
    let mut settings = Settings::of(name);
    let all: Vec<String> = classes.iter().flat_map(|class| narration(&lines, class)).map(|(words, _)| words).collect();
    if let Some(language) = language::detected(&all.join(" ")).filter(|_| !settings.language_is_named) {
        settings.language = language.to_owned();
    }
    let mut film = FilmBuilder::new(title, settings, Warnings::default());
    if let Some(line) =
        lines.iter().position(|line| line.starts_with("from manimlib") || line.starts_with("import manimlib"))
    {
        let message = "the program is written for ManimGL (`manimlib`), another library than Manim: write `from manim import *`, `Create` for \
                       `ShowCreation`, `Text` for `TextMobject`, `MathTex` for `TexMobject` and `Tex`";
        let place = Place { line: u32::try_from(line + 1).unwrap_or(u32::MAX), column: 1 };
        film.warnings.add("plan.other_manim", message, place);
    }
    for class in classes {
        let place = Place { line: u32::try_from(class.line + 1).unwrap_or(u32::MAX), column: 1 };
        let said = narration(&lines, &class);
        let heading = spaced(&class.name);
        let scene = ManimScene { source: text.to_owned(), class: class.name };
        let mut steps = Vec::new();
        for (text, line) in said {
            let place = Place { line: u32::try_from(line + 1).unwrap_or(u32::MAX), column: 1 };
            let line = inline::of_text(&crate::speech::unmarked(&text), place);
            inline::tell_unreadable(&line, place, &mut film.warnings);
            let words = inline::heard(&line, film.settings());
            if !words.is_empty() {
                steps.push(Step { place, kind: StepKind::Speak(words) });
            }
        }
        let plays_ms = estimate_ms(&scene.source, &scene.class);
        film.scene(Draft { kind: SceneKind::Manim(scene), heading, name: None, place, steps, plays_ms })?;
    }
    let storyboard = film.storyboard()?;
    Ok(Storyboard { frame_shape: frame_shape(text), ..storyboard })
}

/// The shape that is nearest to the frame that a program sets; none for Manim's own, 16 to 9, and where it is not set by numbers. The stage
/// fits the picture into that shape by the same rule (`_shape` in `program/run.py`): units count where they are not wider than high,
/// and pixels are 16 to 9.
fn frame_shape(text: &str) -> Option<FrameShape> {
    let (mut pixels, mut units) = ((1920.0, 1080.0), (128.0 / 9.0, 8.0));
    let statements = text.lines().map(str::trim_start).filter_map(|line| line.strip_prefix("config"));
    let statements = statements.map(|line| line.split('#').next().unwrap_or_default());
    // `a = b = 1080` gives both the last.
    let given = statements.filter_map(|line| line.rsplit_once('='));
    for (names, values) in given.flat_map(|(names, values)| names.split('=').map(move |names| (names, values))) {
        let values = values.trim_matches(|c: char| c.is_whitespace() || "()[]".contains(c)).split(',');
        // Several may be set at once: `config.pixel_width, config.pixel_height = 1080, 1920`.
        for (index, name) in names.split(',').enumerate() {
            let name = name.trim().strip_prefix("config").unwrap_or(name.trim());
            let name = name.trim_matches(|c: char| c.is_whitespace() || ".[]\"'".contains(c));
            // What is computed is not known, and compares with nothing.
            let number =
                |at: usize| values.clone().nth(at).and_then(|value| value.trim().parse().ok()).unwrap_or(f64::NAN);
            match name {
                "frame_size" => pixels = (number(index), number(index + 1)),
                "pixel_width" => pixels.0 = number(index),
                "pixel_height" => pixels.1 = number(index),
                "frame_width" => units.0 = number(index),
                "frame_height" => units.1 = number(index),
                _ => {}
            }
        }
    }
    let ratio = |(width, height): (f64, f64)| width / height;
    let is_natural = (ratio(pixels) - 16.0 / 9.0).abs() < 0.01;
    match if is_natural && units.0 > 0.0 && units.0 <= units.1 { ratio(units) } else { ratio(pixels) } {
        // Of two shapes the nearer one leaves less of the picture empty.
        ratio if ratio < 0.75 => Some(FrameShape::Portrait),
        ratio if ratio < 1.33 => Some(FrameShape::Square),
        _ => None,
    }
}

/// What is said in a scene, with the line of each stretch from 0: its `voiceover` texts, else its `# narration:` remarks, else its docstring.
fn narration(lines: &[&str], class: &SceneClass) -> Vec<(String, usize)> {
    let body = body(lines, class.line);
    let mut said = Vec::new();
    for (index, line) in body.iter().enumerate() {
        let Some((_, after)) = line.split_once(".voiceover(").filter(|_| !line.trim_start().starts_with('#')) else {
            continue;
        };
        let more = body[index + 1..].iter().take(VOICEOVER_LINES).copied();
        let rest: String = std::iter::once(after).chain(more).collect::<Vec<_>>().join("\n");
        let begins = rest.trim_start();
        let begins =
            begins.strip_prefix("text").map_or(begins, |rest| rest.trim_start().trim_start_matches('=').trim_start());
        if let Some(words) = strings(begins) {
            said.push((words, class.line + 1 + index));
        }
    }
    if said.is_empty() {
        for (index, line) in body.iter().enumerate() {
            let remark = line.trim_start().strip_prefix('#').map(str::trim_start);
            let words = remark.and_then(|remark| {
                let (name, words) = remark.split_once(':')?;
                let names = ["narration", "voiceover", "narrator", "voice"];
                names.contains(&name.trim().to_lowercase().as_str()).then_some(words)
            });
            if let Some(words) = words {
                said.push((words.trim().to_owned(), class.line + 1 + index));
            }
        }
    }
    let docstring = prose_of(&class.docstring);
    if said.is_empty() && !docstring.is_empty() {
        said.push((docstring, class.line));
    }
    said
}

/// The string that Python code begins with, or several side by side, which Python joins.
fn strings(code: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let mut rest = code.trim_start().trim_start_matches('(').trim_start();
    loop {
        let bare = rest.trim_start_matches(['r', 'R', 'u', 'U', 'f', 'F', 'b']);
        let Some(quote) = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| bare.starts_with(quote)) else {
            return out;
        };
        let raw = rest[..rest.len() - bare.len()].to_lowercase().contains('r');
        let inside = &bare[quote.len()..];
        let ends = |at: &usize| raw || inside[..*at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0;
        let end = inside.match_indices(quote).map(|(at, _)| at).find(ends)?;
        let text = &inside[..end];
        let text = if raw {
            text.to_owned()
        } else {
            text.replace("\\\n", "")
                .replace("\\n", "\n")
                .replace("\\\"", "\"")
                .replace("\\'", "'")
                .replace("\\\\", "\\")
        };
        out.get_or_insert_default().push_str(&text);
        rest = inside[end + quote.len()..].trim_start();
    }
}

/// A docstring without what it says to programmers: `Args:`, `Returns:` and their kin, to the end.
fn prose_of(docstring: &str) -> String {
    const SECTIONS: &[&str] = &[
        "args:",
        "arguments:",
        "parameters",
        "parameters:",
        "returns:",
        "returns",
        "raises:",
        "raises",
        "attributes:",
        "attributes",
        "example:",
        "examples:",
        "examples",
        "note:",
        "notes:",
        "notes",
        "yields:",
        "see also",
        "todo:",
        ":param",
        ":return",
        ">>>",
    ];
    let ends = |line: &&str| {
        let line = line.trim().to_lowercase();
        SECTIONS
            .iter()
            .any(|section| line == *section || (section.starts_with([':', '>']) && line.starts_with(section)))
    };
    docstring.lines().take_while(|line| !ends(line)).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// `my_lesson.py` as `My lesson`.
pub(crate) fn title(name: &str) -> String {
    let stem = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = stem.split('.').find(|part| !part.is_empty()).unwrap_or("Film");
    let words = one_line(&stem.replace(['_', '-'], " "), 150);
    let mut letters = words.chars();
    letters.next().map_or_else(|| "Film".to_owned(), |first| first.to_uppercase().chain(letters).collect())
}

/// `SquareToCircle` as `Square To Circle`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    let mut before = 'A';
    for c in name.chars() {
        let starts = (c.is_uppercase() && before.is_lowercase()) || (c.is_ascii_digit() && before.is_alphabetic());
        if c == '_' || (starts && !out.is_empty()) {
            out.push(' ');
        }
        if c != '_' {
            out.push(c);
        }
        before = c;
    }
    one_line(&out, 150)
}

/// The classes of a program that derive from a scene: from a class whose name ends in `Scene`, or from one that was
/// found before it. A class that others derive from and that has no `construct` of its own is no scene itself.
pub(crate) fn scenes(text: &str) -> Vec<SceneClass> {
    let lines: Vec<&str> = text.lines().collect();
    let code = code_lines(&lines);
    let mut found: Vec<SceneClass> = Vec::new();
    // The names of those that were found, and of all that they derive from.
    let (mut known, mut bases_of_all) = (BTreeSet::new(), BTreeSet::new());
    for (index, line) in lines.iter().enumerate() {
        if !code[index] || !line.starts_with("class ") {
            continue;
        }
        let Some((name, bases)) = statement(&lines[index..]) else { continue };
        if bases.iter().any(|base| base.ends_with("Scene") || known.contains(base)) {
            let docstring = docstring(&lines[index..]);
            known.insert(name.clone());
            bases_of_all.extend(bases);
            found.push(SceneClass { name, docstring, line: index });
        }
    }
    let constructs =
        |class: &SceneClass| body(&lines, class.line).iter().any(|line| line.trim_start().starts_with("def construct"));
    let keep = |class: &SceneClass| constructs(class) || !bases_of_all.contains(&class.name);
    let mut names = BTreeSet::new();
    // Of two classes with one name Python knows the later one.
    let mut kept: Vec<SceneClass> = found.into_iter().filter(keep).collect();
    kept.reverse();
    kept.retain(|class| names.insert(class.name.clone()));
    kept.reverse();
    kept
}

/// Which lines begin outside of triple-quoted strings.
fn code_lines(lines: &[&str]) -> Vec<bool> {
    let mut inside: Option<&str> = None;
    let mut code = Vec::with_capacity(lines.len());
    for line in lines {
        code.push(inside.is_none());
        let mut rest = *line;
        loop {
            match inside {
                Some(quote) => match rest.split_once(quote) {
                    Some((_, after)) => {
                        inside = None;
                        rest = after;
                    }
                    None => break,
                },
                None => {
                    // Whichever comes first: a remark goes to the end of its line.
                    let marks = ["\"\"\"", "'''", "#"];
                    let begins = |(at, _): (usize, &str)| {
                        marks.into_iter().find(|mark| rest[at..].starts_with(mark)).map(|mark| (at, mark))
                    };
                    match rest.match_indices(['"', '\'', '#']).find_map(begins) {
                        Some((at, mark)) if mark != "#" => {
                            inside = Some(mark);
                            rest = &rest[at + mark.len()..];
                        }
                        _ => break,
                    }
                }
            }
        }
    }
    code
}

/// Name and bases of the class statement that these lines begin with, which may go over several lines.
fn statement(lines: &[&str]) -> Option<(String, Vec<String>)> {
    let mut text = String::new();
    for line in lines.iter().take(STATEMENT) {
        if line.len() > LONGEST_LINE {
            return None;
        }
        text.push_str(line.split('#').next().unwrap_or(line));
        text.push(' ');
        if text.trim_end().ends_with(':') {
            break;
        }
    }
    let rest = text.strip_prefix("class ")?.trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = rest[..end].to_owned();
    let bases = rest[end..].trim_start().strip_prefix('(')?;
    let bases = bases.rsplit_once(')').map_or(bases, |(inside, _)| inside);
    let last = |base: &str| base.trim().rsplit('.').next().unwrap_or_default().to_owned();
    let bases = bases.split(',').filter(|base| !base.contains('=')).map(last).collect();
    let named = name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.len() <= 200;
    named.then_some((name, bases))
}

/// The lines below a class statement that belong to it.
fn body<'a>(lines: &'a [&'a str], class: usize) -> &'a [&'a str] {
    let rest = lines.get(class + 1..).unwrap_or_default();
    let outside = |line: &&str| line.starts_with("class ") || line.starts_with("def ") || line.starts_with('@');
    let end = rest.iter().position(outside).unwrap_or(rest.len());
    &rest[..end]
}

/// The string that a class begins with. No more is read than that: what follows is looked at for the next class.
fn docstring(lines: &[&str]) -> String {
    let statement = &lines[..lines.len().min(STATEMENT)];
    let opened = statement.iter().position(|line| line.split('#').next().unwrap_or(line).trim_end().ends_with(':'));
    let after = lines.get(opened.map_or(lines.len(), |at| at + 1)..).unwrap_or_default();
    let mut lines = after.iter().skip_while(|line| line.trim().is_empty());
    let Some(first) = lines.next() else { return String::new() };
    let first = first.trim_start().trim_start_matches(['r', 'R', 'u', 'U']);
    for quote in ["\"\"\"", "'''"] {
        let Some(mut line) = first.strip_prefix(quote) else { continue };
        let mut inside = String::new();
        loop {
            if let Some((end, _)) = line.split_once(quote) {
                inside.push_str(end);
                return inside.trim().to_owned();
            }
            inside.push_str(line);
            inside.push('\n');
            match lines.next() {
                Some(next) => line = next,
                None => return String::new(),
            }
        }
    }
    let quoted = |quote| Some(first.strip_prefix(quote)?.split_once(quote)?.0.trim().to_owned());
    quoted('"').or_else(|| quoted('\'')).unwrap_or_default()
}

/// About how long a scene plays, in milliseconds: what `play` and `wait` in its class say.
pub(crate) fn estimate_ms(text: &str, class: &str) -> u32 {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&str| statement(&[line]).is_some_and(|(name, _)| name == class);
    let Some(at) = lines.iter().position(begins) else { return UNKNOWN_MS };
    let mut seconds = 0.0;
    let number = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        text[..end].parse::<f64>().ok()
    };
    for line in body(&lines, at) {
        let line = line.trim_start();
        if let Some(after) = line.strip_prefix("self.wait(") {
            seconds += number(after.trim_start_matches("duration=")).unwrap_or(1.0);
        } else if line.starts_with("self.play(") {
            // Without a time of its own an animation takes a second.
            seconds += line.split_once("run_time=").and_then(|(_, after)| number(after)).unwrap_or(1.0);
        } else if let Some((_, after)) = line.split_once("run_time=") {
            seconds += number(after).unwrap_or(1.0) - 1.0;
        }
    }
    let ms = (seconds * 1_000.0_f64).clamp(0.0, LONGEST_MS);
    if ms < 100.0 { UNKNOWN_MS } else { ms as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_that_a_program_sets_is_the_films() {
        let of = |lines: &str| frame_shape(&format!("from manim import *\n{lines}\nclass A(Scene):\n    pass\n"));
        let portrait = [
            "config.pixel_width = 1080\nconfig.pixel_height = 1920",
            "config.pixel_width, config.pixel_height = 1080, 1920",
            "config[\"pixel_height\"] = 1920\nconfig['pixel_width'] = 1080  # for telephones",
            "config.frame_size = (1080, 1920)",
            "config.frame_size = [720, 1280]",
            "config.frame_width = 4.5\nconfig.frame_height = 8",
        ];
        for lines in portrait {
            assert_eq!(of(lines), Some(FrameShape::Portrait), "{lines}");
        }
        assert_eq!(of("config.pixel_width = 1080"), Some(FrameShape::Square));
        assert_eq!(of("config.pixel_width = config.pixel_height = 1080"), Some(FrameShape::Square));
        assert_eq!(of("config.frame_height = 14.3"), Some(FrameShape::Square));
        let wide = [
            "",
            "config.pixel_width = 3840\nconfig.pixel_height = 2160",
            "config.frame_size = size",
            "config.background_color = WHITE",
            "# config.pixel_width = 1080",
            "config.frame_width = 0",
            // Wider than high: the program zooms.
            "config.frame_height = 14.2",
            "config.frame_width = 10",
            // Computed.
            "config.frame_height = 20\nconfig.frame_width = config.frame_height * 16 / 9",
            "config.pixel_height = 1920\nconfig.pixel_width = int(1920 * 16 / 9)",
            "config.frame_size = (WIDTH, HEIGHT)",
            "config.pixel_width = 1440\nconfig.pixel_height = 1080",
        ];
        for lines in wide {
            assert_eq!(of(lines), None, "{lines}");
        }
    }

    const PROGRAM: &str = r#"
from manim import *
"""
class NotAScene(Scene):
"""
# class Neither(Scene):
class Helper:
    pass

class Base(ThreeDScene):  # shared
    def shape(self):
        return Sphere()

class First(Base):
    """The *first* scene shows $x^2$.

    It goes on."""
    def construct(self):
        self.play(Create(Square()), run_time=2.5)
        self.wait(1.5)
        self.play(FadeOut(self.shape()))

class Second(
    manim.MovingCameraScene,
    metaclass=abc.ABCMeta,
):
    def construct(self):
        self.wait()
"#;

    #[test]
    fn scene_classes_are_found_without_running_anything() {
        let names: Vec<_> = scenes(PROGRAM).into_iter().map(|class| (class.name, class.docstring.len() > 10)).collect();
        assert_eq!(names, [("First".to_owned(), true), ("Second".to_owned(), false)]);
        assert!(scenes("x = 1\nclass A(B):\n  pass\n").is_empty());
        assert!(scenes("class Broken(Scene").len() == 1, "what Python can't read, Python will say");
    }

    #[test]
    fn docstrings_are_narration_and_lengths_are_estimated() {
        let film = plan("my_film.py", PROGRAM).unwrap();
        assert_eq!((film.title.as_str(), film.scenes.len()), ("My film", 2));
        let beat = &film.scenes[0].beats[0];
        assert_eq!(beat.narration, "The first scene shows x squared. It goes on.");
        assert_eq!(estimate_ms(PROGRAM, "First"), 5_000);
        assert!(beat.estimate_ms + beat.pause_ms >= 5_000, "the picture is not cut off with its words");
        assert_eq!(film.scenes[1].beats[0].narration, "");
        let program = "class A(VoiceoverScene):\n    def construct(self):\n        with self.voiceover(text=\"First <bookmark mark='A'/>it \"\n                \"grows.\") as t:\n            pass\n        with self.voiceover(\n            \"\"\"Then it ends.\"\"\"\n        ):\n            pass\n";
        let film = plan("a.py", program).unwrap();
        let said: Vec<&str> = film.scenes[0].beats.iter().map(|beat| beat.narration.as_str()).collect();
        assert_eq!(said, ["First it grows.", "Then it ends."]);
        let program = "class A(Scene):\n    \"\"\"Welcome.\n\n    Args:\n        none\n    \"\"\"\n    def construct(self): pass\n";
        assert_eq!(plan("a.py", program).unwrap().scenes[0].beats[0].narration, "Welcome.");
        assert_eq!(
            plan("a.py", "from manimlib import *\nclass A(Scene): pass").unwrap().warnings[0].code,
            "plan.other_manim"
        );
        assert_eq!(plan("a.py", "print(1)").unwrap_err().code, "input.no_scene_class");
    }
}
