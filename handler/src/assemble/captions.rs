//! Captions, from the ledger: SubRip, WebVTT, and chapters as ffmpeg reads them.

use super::Ledger;

/// Longest line of a caption, in characters: what subtitling guidelines agree on.
const LINE: usize = 42;
/// Lines at a time.
const LINES: usize = 2;

/// A caption: what is read from one millisecond to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// First millisecond.
    pub from_ms: u64,
    /// Millisecond after the last.
    pub to_ms: u64,
    /// One or two lines of at most 42 characters (a longer single word stays whole).
    pub lines: Vec<String>,
}

/// Makes the cues of a film. A beat's words share its sound by their number of characters.
pub fn cues(ledger: &Ledger) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    for beat in ledger.beats().filter(|beat| beat.samples > 0) {
        let parts = split(&beat.text);
        let characters = |lines: &[String]| lines.iter().map(|line| line.chars().count() as u64 + 1).sum::<u64>();
        let all: u64 = parts.iter().map(|lines| characters(lines)).sum();
        let mut spoken = 0;
        for lines in parts {
            let at = |share: u64| {
                (beat.first_sample + beat.samples * share / all.max(1)) * 1000 / u64::from(ledger.sample_rate)
            };
            let from_ms = at(spoken);
            spoken += characters(&lines);
            cues.push(Cue { from_ms, to_ms: at(spoken).max(from_ms + 1), lines });
        }
    }
    cues
}

/// Splits words into captions, at the ends of sentences and clauses where that leaves no crumbs.
fn split(text: &str) -> Vec<Vec<String>> {
    let mut parts = Vec::new();
    let mut lines = vec![String::new()];
    let length = |line: &str| line.chars().count();
    for word in text.split_whitespace() {
        let line = lines.last().map_or("", String::as_str);
        let fits = line.is_empty() || length(line) + 1 + length(word) <= LINE;
        // A sentence that ended well into a caption begins the next one; two scraps of sentences in one caption read badly.
        let ended = line.ends_with(['.', '?', '!', ':', ';']);
        let filled: usize = lines.iter().map(|line| length(line)).sum();
        if (ended && filled > LINE / 2) || (!fits && lines.len() == LINES) {
            parts.push(std::mem::replace(&mut lines, vec![String::new()]));
        } else if !fits {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    parts.push(lines);
    parts.retain(|lines| lines.iter().any(|line| !line.is_empty()));
    parts
}

fn clock(ms: u64, point: char) -> String {
    format!("{:02}:{:02}:{:02}{point}{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// As SubRip.
pub fn srt(cues: &[Cue]) -> String {
    let one = |(index, cue): (usize, &Cue)| {
        let (from, to) = (clock(cue.from_ms, ','), clock(cue.to_ms, ','));
        format!("{}\n{from} --> {to}\n{}\n\n", index + 1, cue.lines.join("\n"))
    };
    cues.iter().enumerate().map(one).collect()
}

/// As WebVTT.
pub fn vtt(cues: &[Cue]) -> String {
    let escaped = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let one = |cue: &Cue| {
        let lines: Vec<String> = cue.lines.iter().map(|line| escaped(line)).collect();
        format!("{} --> {}\n{}\n\n", clock(cue.from_ms, '.'), clock(cue.to_ms, '.'), lines.join("\n"))
    };
    std::iter::once("WEBVTT\n\n".to_owned()).chain(cues.iter().map(one)).collect()
}

/// Title and chapters, as ffmpeg's metadata format.
pub fn chapters(ledger: &Ledger, title: &str) -> String {
    let escaped = |text: &str| -> String {
        let special = |c: char| matches!(c, '=' | ';' | '#' | '\\');
        text.chars()
            .flat_map(|c| special(c).then_some('\\').into_iter().chain([if c == '\n' { ' ' } else { c }]))
            .collect()
    };
    let mut text = format!(";FFMETADATA1\ntitle={}\n", escaped(title));
    for scene in &ledger.scenes {
        let (from, to) =
            (ledger.milliseconds(scene.first_frame), ledger.milliseconds(scene.first_frame + scene.frames));
        text.push_str(&format!(
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART={from}\nEND={to}\ntitle={}\n",
            escaped(&scene.heading)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::scene;
    use super::*;

    const WORDS: &str = "In a right triangle, the square on the hypotenuse is as large as the two other squares together. \
        That is all. But why, and since when have people known? Incomprehensibilities-and-antidisestablishmentarianisms & <i>.";

    fn ledger() -> Ledger {
        let scene = scene("s", &[WORDS, "", WORDS]);
        Ledger::of(30, [(&scene, &[300, 30, 400][..], vec![470_000, 0, 630_000])])
    }

    #[test]
    fn every_word_is_there_once_and_in_order() {
        let cues = cues(&ledger());
        let read = cues.iter().flat_map(|cue| &cue.lines).flat_map(|line| line.split_whitespace());
        let spoken = WORDS.split_whitespace().chain(WORDS.split_whitespace());
        assert!(read.eq(spoken));
    }

    #[test]
    fn captions_fit_and_never_overlap_in_time() {
        let cues = cues(&ledger());
        for cue in &cues {
            assert!(cue.from_ms < cue.to_ms && cue.lines.len() <= LINES);
            assert!(cue.lines.iter().all(|line| line.chars().count() <= LINE || !line.contains(' ')), "{cue:?}");
        }
        assert!(cues.windows(2).all(|pair| pair[0].to_ms <= pair[1].from_ms));
        // The words of the third beat begin with its own first frame.
        assert!(cues.iter().any(|cue| cue.from_ms == 11_000), "{cues:?}");
    }

    #[test]
    fn the_formats_are_as_their_readers_want_them() {
        let cues = [Cue { from_ms: 3_661_001, to_ms: 3_662_000, lines: vec!["a & <b>".into(), "c".into()] }];
        assert_eq!(srt(&cues), "1\n01:01:01,001 --> 01:01:02,000\na & <b>\nc\n\n");
        assert_eq!(vtt(&cues), "WEBVTT\n\n01:01:01.001 --> 01:01:02.000\na &amp; &lt;b&gt;\nc\n\n");
        let chapters = chapters(&ledger(), "a=b; c");
        assert!(
            chapters.starts_with(";FFMETADATA1\ntitle=a\\=b\\; c\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=24333\n")
        );
    }
}
