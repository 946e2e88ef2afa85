//! One ffmpeg call makes the film: clips and the encoded sound, joined by stream copy.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audio::LOUDNESS;
use storyboard::Warning;
use tokio::sync::oneshot;
use tracing::{Instrument as _, info_span};

use super::extras::{self, Extras, Prepared};
use super::measure::{self, BeatSync};
use super::recording::Recording;
use super::soundtrack::{self, Script, Soundtrack, could_not};
use super::{Ledger, captions, pictures};
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Code, JobError, WarningCode};
use crate::job::{Quality, status::Sync};
use crate::layers::Layers;
use crate::media::Ffmpeg;
use crate::media::Prober;
use crate::narrate::Sound;
use crate::plan::translations::Translation;
use crate::untrusted_file::UntrustedFile;

/// Bytes of a film, as many as ffmpeg may write of one file; and those of a poster at 4k, or of a list of the pictures of six hours.
const LARGEST_FILM: u64 = 64 << 30;
const LARGEST_TEXT: u64 = 256 << 20;
/// What a film's loudness may differ from the wanted one, in LU.
const TOLERANCE: f64 = 1.0;
/// The time that measuring the finished film leaves for publishing it: a third of what is left, at most this. A film that was not
/// measured is better than none.
const PUBLISHING: Duration = Duration::from_secs(3);

/// Makes films of clips.
#[derive(Debug, Clone)]
pub struct Assembler {
    ffmpeg: Ffmpeg,
    prober: Prober,
}

/// What was made, as files and texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// `film.mp4`.
    pub path: PathBuf,
    /// `poster.jpg`.
    pub poster: PathBuf,
    /// A small picture of each scene, as JPEG, in film order, as far as there are any.
    pub pictures: Vec<Option<Vec<u8>>>,
    /// In the film's own language first, then in others.
    pub captions: Vec<Captions>,
    /// Sound against picture, as measured on the finished film; none when there was no time to measure it.
    pub sync: Option<Sync>,
    /// Every beat as planned and as measured, in film order; empty when there was no time.
    pub beats: Vec<BeatSync>,
    /// Integrated loudness in LUFS; none for a film without words.
    pub loudness: Option<f64>,
}

/// Captions in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captions {
    /// BCP 47.
    pub language: String,
    /// As SubRip.
    pub srt: String,
    /// As WebVTT.
    pub vtt: String,
}

impl Film {
    /// Warnings about the film: a loudness off target, which films of a few short sounds may have, and words that were not recognised at
    /// their place.
    pub fn warnings(&self) -> Vec<Warning> {
        let off = |loudness: &f64| (loudness - LOUDNESS).abs() > TOLERANCE;
        let loud = self.loudness.filter(off);
        let loud = loud.map(|loudness| {
            let message = format!("the film's loudness is {loudness:.1} LUFS instead of {LOUDNESS:.0}");
            WarningCode::AssembleLoudness.at(None, message)
        });
        let unheard: Vec<&str> = self.beats.iter().filter(|beat| beat.unheard).map(|beat| &*beat.id).collect();
        let unheard = (!unheard.is_empty()).then(|| {
            let message = format!(
                "the words of {} were not recognised at their place in the film; please listen to them",
                unheard.join(", ")
            );
            WarningCode::AssembleUnheard.at(None, message)
        });
        let unmeasured = self.sync.is_none().then(|| {
            let message = "there was no time left to measure the synchronisation of sound and picture";
            WarningCode::AssembleNotMeasured.at(None, message)
        });
        loud.into_iter().chain(unheard).chain(unmeasured).collect()
    }
}

impl Captions {
    fn of(ledger: &Ledger, language: &str) -> Self {
        let cues = captions::cues(ledger);
        Self { language: language.to_owned(), srt: captions::srt(&cues), vtt: captions::vtt(&cues) }
    }
}

/// The picture of a film, and what goes with it.
#[derive(Debug, Clone)]
pub struct FilmParts<'a> {
    /// The film's title.
    pub title: &'a str,
    /// The language that is spoken, BCP 47.
    pub language: &'a str,
    /// What is said, in other languages.
    pub translations: &'a [Translation],
    /// The scenes' clips, in film order, as they were checked.
    pub clips: &'a [PathBuf],
    /// Intro, outro and music.
    pub extras: &'a Prepared,
    /// Its sound, if that was made before; another one is made when it doesn't fit.
    pub ahead: Option<Soundtrack>,
}

impl Assembler {
    /// With the ffmpeg of these layers.
    pub fn new(layers: &Layers, prober: Prober, config: &Config) -> Self {
        Self { ffmpeg: Ffmpeg::new(layers, config), prober }
    }

    pub(super) fn ffmpeg(&self) -> &Ffmpeg {
        &self.ffmpeg
    }

    /// Prepares intro, outro and music in `folder`, as far as that is possible by `deadline`. It needs
    /// no scene, so it may run while they are drawn.
    pub async fn prepare(&self, extras: &Extras, quality: Quality, folder: &Path, deadline: Deadline) -> Prepared {
        extras::prepare(extras, quality, (&self.ffmpeg, &self.prober), folder, deadline).await
    }

    /// Prepares intro, outro and music, and then the sound, as soon as its script is there. None when it never comes, as when only
    /// drawing a scene shows how long it is, and when the sound can't be made: [`Assembler::film`] tries again, and tells why.
    pub async fn prepare_all(
        &self,
        extras: &Extras,
        quality: Quality,
        script: oneshot::Receiver<Script>,
        folder: &Path,
        deadline: Deadline,
    ) -> (Prepared, Option<Soundtrack>) {
        let extras = self.prepare(extras, quality, folder, deadline.slice(deadline.left() / 2)).await;
        let Ok(script) = script.await else { return (extras, None) };
        let sound = self.soundtrack(script, &extras, folder, deadline).instrument(info_span!("sound")).await.ok();
        (extras, sound)
    }

    /// The sound of a film with these extras; the ledger of `script` has none of them yet.
    ///
    /// # Errors
    /// `assemble.failed`, `assemble.timed_out`, `assemble.stalled`, `assemble.wrong_film` when ffmpeg left something else,
    /// `scratch.failed` when `folder` can't be written.
    pub async fn soundtrack(
        &self,
        mut script: Script,
        extras: &Prepared,
        folder: &Path,
        deadline: Deadline,
    ) -> Result<Soundtrack, JobError> {
        let (intro, outro) = extras.frames();
        script.ledger.surround(intro, outro);
        Soundtrack::of(script, extras, &self.ffmpeg, folder, deadline).await
    }

    /// Joins the clips of a reel and lays `words` on them as the ledger says, after it has moved by the intro.
    ///
    /// # Errors
    /// `assemble.failed`, `assemble.timed_out`, `assemble.stalled`, `assemble.wrong_film` when the result is not as long as
    /// the ledger or not in step with it, `scratch.failed` when `folder` can't be written.
    pub async fn film(
        &self,
        FilmParts { title, language, translations, clips, extras, ahead }: FilmParts<'_>,
        ledger: &mut Ledger,
        words: Vec<Sound>,
        folder: &Path,
        deadline: Deadline,
    ) -> Result<Film, JobError> {
        let (intro, outro) = extras.frames();
        ledger.surround(intro, outro);
        let ledger = &*ledger;
        let spoken: Vec<bool> = words.iter().map(|sound| sound.path().is_some()).collect();
        let Soundtrack { track, laid, .. } = match ahead.filter(|sound| sound.fits(ledger, &words)) {
            Some(sound) => sound,
            None => {
                let script = Script { ledger: ledger.clone(), words };
                Soundtrack::of(script, extras, &self.ffmpeg, folder, deadline).await?
            }
        };
        let captions = {
            let (ledger, translations, language) = (ledger.clone(), translations.to_vec(), language.to_owned());
            let captions = deadline.work(move |cutoff| {
                let others = translations.iter().map(|other| (other.ledger(&ledger), &other.language));
                let all = std::iter::once((ledger.clone(), &language)).chain(others);
                let one = |(ledger, language): (Ledger, &String)| {
                    cutoff.check()?;
                    Ok::<_, std::io::Error>(Captions::of(&ledger, language))
                };
                all.map(one).collect::<std::io::Result<Vec<Captions>>>()
            });
            captions.await.map_err(std::io::Error::from).flatten().map_err(|error| could_not("the captions", error))?
        };
        let (before, after) = (extras.intro.iter().map(|clip| &clip.path), extras.outro.iter().map(|clip| &clip.path));
        let list: String =
            before.chain(clips).chain(after).map(|clip| format!("file '{}'\n", clip.display())).collect();
        let mut files =
            vec![("clips.txt".to_owned(), list), ("chapters.txt".to_owned(), captions::chapters(ledger, title))];
        // ffmpeg refuses a file without a single caption.
        let shown: Vec<&Captions> = captions.iter().filter(|captions| !captions.srt.is_empty()).collect();
        files.extend(shown.iter().enumerate().map(|(number, one)| (subtitles(number), captions::embedded(&one.srt))));
        for (name, text) in files {
            tokio::fs::write(folder.join(&name), text)
                .await
                .map_err(|error| JobError::new(Code::ScratchFailed, format!("can't write {name}: {error}")))?;
        }
        let (path, poster) = (folder.join("film.mp4"), folder.join("poster.jpg"));
        let languages: Vec<&str> = shown.iter().map(|captions| captions.language.as_str()).collect();
        let join = join_arguments(ledger.fps, language, &languages);
        let poster_arguments = pictures::poster_arguments(ledger, clips);
        let joined = self.ffmpeg.run(&join, folder, deadline);
        let still = self.ffmpeg.run(&poster_arguments, folder, deadline);
        let pictures = async { Ok(pictures::of_scenes(ledger, clips, &self.ffmpeg, folder, deadline).await) };
        let ((), (), pictures) = tokio::try_join!(joined, still, pictures)?;
        let left = [("film.mp4", LARGEST_FILM), ("poster.jpg", LARGEST_TEXT)];
        let files = left.map(|(name, most)| (name, UntrustedFile::open(&folder.join(name), most)));
        // From now on no child of this job writes here but the one that only adds to it.
        if let Some((name, Err(unfit))) = files.into_iter().find(|(_, file)| file.is_err()) {
            return Err(JobError::new(Code::AssembleWrongFilm, format!("ffmpeg wrote no usable {name}: {unfit}")));
        }
        self.check(&path, ledger, deadline).await?;
        let until = deadline.less((deadline.left() / 3).min(PUBLISHING));
        let measured = self.measure(ledger, &spoken, (&laid, track.channels), folder, until).await;
        let (sync, beats) = match measured {
            Ok(beats) => (Some(Sync { worst_frames: measure::worst(&beats) }), beats),
            Err(error) if error.code == Code::AssembleTimedOut => (None, Vec::new()),
            Err(error) => return Err(error),
        };
        Ok(Film { path, poster, pictures, captions, sync, beats, loudness: track.loudness })
    }

    /// Checks that the film is as long as the ledger says, in both streams.
    async fn check(&self, film: &Path, ledger: &Ledger, deadline: Deadline) -> Result<(), JobError> {
        let wrong = |message: String| JobError::new(Code::AssembleWrongFilm, message);
        let measured = self.prober.measure(film, deadline).await.map_err(wrong)?;
        if measured.video_frames != ledger.frames {
            return Err(wrong(format!(
                "the film has {} frames, but the ledger has {}",
                measured.video_frames, ledger.frames
            )));
        }
        let audio = measured.audio_seconds.ok_or_else(|| wrong("the film has no sound".to_owned()))?;
        if (audio - ledger.seconds()).abs() * f64::from(ledger.fps) > 1.0 {
            return Err(wrong(format!("the sound lasts {audio:.3} s, but the picture {:.3} s", ledger.seconds())));
        }
        Ok(())
    }

    /// Measures where each beat begins in `film.mp4`: none may be off by more than a frame, and most must be recognised.
    async fn measure(
        &self,
        ledger: &Ledger,
        spoken: &[bool],
        (laid, channels): (&Path, usize),
        folder: &Path,
        deadline: Deadline,
    ) -> Result<Vec<BeatSync>, JobError> {
        self.ffmpeg.run(&decode_arguments(channels), folder, deadline).await?;
        let decoded = folder.join("decoded.s16le");
        let measured = {
            let (ledger, spoken, laid) = (ledger.clone(), spoken.to_vec(), laid.to_owned());
            let (packets, decoded) = (folder.join("pictures.txt"), decoded.clone());
            deadline.work(move |cutoff| {
                let packets = UntrustedFile::open(&packets, LARGEST_TEXT).and_then(|file| file.read());
                let packets =
                    String::from_utf8(packets.map_err(std::io::Error::other)?).map_err(std::io::Error::other)?;
                let (laid, sound) = (Recording::open(&laid, channels)?, Recording::open(&decoded, channels)?);
                let measured = measure::beats(&ledger, &packets, &spoken, &laid, &sound, cutoff);
                // What was found when the time ended is no finding.
                cutoff.check()?;
                Ok::<_, std::io::Error>(measured)
            })
        };
        let measured = measured.await.map_err(std::io::Error::from).flatten();
        // As large as the track itself, and of no further use.
        let _ = tokio::fs::remove_file(&decoded).await;
        let wrong = |message: String| JobError::new(Code::AssembleWrongFilm, message);
        let beats = measured.map_err(|error| could_not("the film's sound", error))?.map_err(wrong)?;
        if let Some(late) = beats.iter().find(|beat| beat.error_frames.is_some_and(|error| error.abs() > 1.0)) {
            let error = late.error_frames.unwrap_or_default();
            return Err(wrong(format!(
                "the words of beat {} are {error:.2} frames out of sync with their picture",
                late.id
            )));
        }
        Ok(beats)
    }
}

/// The captions of one language, as ffmpeg reads them.
fn subtitles(number: usize) -> String {
    format!("captions-{number}.srt")
}

/// A language as MP4 names it, in three letters: `deu` for `de-AT`.
fn three_letters(language: &str) -> &'static str {
    let primary = language.split('-').next().unwrap_or(language).to_ascii_lowercase();
    let known = isolang::Language::from_639_1(&primary).or_else(|| isolang::Language::from_639_3(&primary));
    known.map_or("und", |language| language.to_639_3())
}

/// `captions` are the languages of the tracks of captions, in the order of their files.
fn join_arguments(fps: u32, language: &str, captions: &[&str]) -> Vec<OsString> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut arguments = words(&["-f", "concat", "-safe", "0", "-i", "clips.txt"]);
    arguments.extend(words(&["-i", soundtrack::ENCODED, "-i", "chapters.txt"]));
    for number in 0..captions.len() {
        arguments.extend(["-i".to_owned(), subtitles(number)]);
    }
    arguments.extend(words(&["-map", "0:v", "-map", "1:a"]));
    for (number, language) in captions.iter().enumerate() {
        // Three letters can't tell Brazil from Portugal, so the track has the whole tag as its title too.
        let (map, stream) = (format!("{}:s", number + 3), format!("-metadata:s:s:{number}"));
        let language = [format!("language={}", three_letters(language)), format!("title={language}")];
        arguments.extend(["-map".to_owned(), map]);
        arguments.extend(language.into_iter().flat_map(|tag| [stream.clone(), tag]));
    }
    arguments.extend(["-metadata:s:a:0".to_owned(), format!("language={}", three_letters(language))]);
    arguments.extend(words(&["-map_metadata", "2", "-map_chapters", "2", "-c:v", "copy", "-c:s", "mov_text"]));
    arguments.extend(words(&["-c:a", "copy", "-movflags", "+faststart"]));
    // Clips say their length in whole milliseconds, so that joined by it they would drift: 18 ms over 100 scenes, measured.
    // Their clock has 512 ticks a frame (`chalkreel_stage/frames/clip.py`), and so has the film's. The clock in which ffmpeg counts
    // here is the film's in version 5 and the clips' in version 7, hence `TB`.
    let (ticks, steps) = ((fps * 512).to_string(), format!("setts=ts=N/TB/{fps}:duration=1/TB/{fps}"));
    arguments.extend(words(&["-video_track_timescale", &ticks, "-bsf:v", &steps, "film.mp4"]));
    arguments.into_iter().map(Into::into).collect()
}

/// Pictures by their packets, and the sound as a player hears it: what comes before time 0 is cut off, and a gap is silence.
fn decode_arguments(channels: usize) -> Vec<OsString> {
    let mut arguments = vec!["-i", "film.mp4", "-map", "0:v", "-c", "copy", "-f", "framecrc", "pictures.txt"];
    arguments.extend(["-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-ar", "48000"]);
    arguments.extend(["-ac", if channels == 1 { "1" } else { "2" }, "-f", "s16le", "decoded.s16le"]);
    arguments.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_that_is_too_loud_or_too_quiet_gets_a_warning() {
        let film = |loudness: Option<f64>| Film {
            path: PathBuf::new(),
            poster: PathBuf::new(),
            pictures: Vec::new(),
            captions: Vec::new(),
            sync: Some(Sync::default()),
            beats: Vec::new(),
            loudness,
        };
        for loudness in [None, Some(-16.0), Some(-16.9), Some(-15.1)] {
            assert_eq!(film(loudness).warnings(), []);
        }
        for (loudness, told) in [(-17.2, "-17.2 LUFS instead of -16"), (-14.0, "-14.0 LUFS")] {
            let warning = film(Some(loudness)).warnings().remove(0);
            assert!(warning.code == "assemble.loudness" && warning.message.contains(told), "{warning:?}");
        }
    }

    #[test]
    fn languages_have_three_letters_in_the_film() {
        for (tag, letters) in [("en", "eng"), ("de-AT", "deu"), ("ZH-Hant", "zho"), ("gsw", "gsw"), ("xx", "und")] {
            assert_eq!(three_letters(tag), letters);
        }
    }
}
