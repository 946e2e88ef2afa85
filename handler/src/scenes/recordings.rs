//! Words that the author has recorded: which recording is of which beats, and its sound, divided over them.
//!
//! In: a planned film. Out: the narration of the recorded beats, to the sample, and the storyboard without the pauses that the recording
//! itself has. Recordings are untrusted files. One that can't be used gives a warning, and the voices of the film speak its words.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use audio::{LOUDNESS, SAMPLE_RATE};
use storyboard::{Place, Scene, SceneKind, Storyboard, Warning};

use super::Handover;
use crate::assemble::ledger::samples_per_frame;
use crate::deadline::{Cutoff, Deadline};
use crate::error::WarningCode;
use crate::intake::assets::{self, AssetBase};
use crate::job::events::JobEvent;
use crate::job::status::BeatVoice;
use crate::job::{Lease, Worker};
use crate::narrate::{Narration, Sound};
use crate::services::Services;

/// Endings of the files in a folder of recordings; others are not looked at.
const SOUNDS: &[&str] = &["mp3", "wav", "ogg", "oga", "flac", "m4a", "aac", "opus"];
/// Most recordings of one film, as many as a document may name files.
const MOST: usize = 200;
/// Largest recording in bytes: ten minutes of two channels at 24 bits and 192 kHz.
const LARGEST: u64 = 768 << 20;
/// What no voice is louder than is silence, at full level 1: -60 dB.
const SILENCE: f32 = 0.001;
/// A recording that is shorter or longer than its words would take by more than this factor is told.
const FAR: f64 = 2.0;
/// The share of the remaining time that recordings may take.
const SHARE: u32 = 3;
/// The voice of a recorded beat in the status.
const VOICE: &str = "recording";
/// How far around the place of a cut its loudness is looked at, in samples: 80 ms, as long as a short pause between words.
const QUIET: usize = SAMPLE_RATE as usize * 8 / 100;
/// What distance costs, in decibels for half a beat: the quietest moment nearby is better than a quieter one far away.
const DISTANCE: f64 = 12.0;

/// A recording, and the beats whose words are in it.
#[derive(Debug, Clone, PartialEq)]
struct Recorded {
    source: String,
    beats: Vec<String>,
    place: Option<Place>,
}

/// The film with the narration of all beats that the author has recorded. A later task of an execution has it with the narration.
pub async fn prepared(
    mut handover: Handover,
    worker: Worker<'_>,
    services: &Services,
    lease: &Lease,
    folder: &Path,
    ends: Deadline,
) -> Handover {
    let storyboard = &handover.storyboard;
    let none = storyboard.recordings.is_empty() && storyboard.voice.recording.is_none();
    if none || matches!(worker, Worker::Next(_)) {
        return handover;
    }
    let deadline = ends.slice(ends.left() / SHARE);
    let (wanted, mut warnings) = wanted(storyboard, &handover.asset_base, services, deadline).await;
    let fps = handover.quality.fps();
    for (number, recorded) in wanted.into_iter().enumerate() {
        let scene = handover
            .storyboard
            .scenes
            .iter_mut()
            .find(|scene| scene.beats.iter().any(|beat| recorded.beats.contains(&beat.id)));
        let Some(scene) = scene else { continue };
        let made = sounds(&recorded, scene, &handover.asset_base, number, fps, services, folder, deadline).await;
        let sounds = match made {
            Ok((sounds, told)) => {
                warnings.extend(told);
                sounds
            }
            Err(why) => {
                warnings.push(left_out(&recorded, &why));
                continue;
            }
        };
        let last = recorded.beats.last();
        for (id, sound) in recorded.beats.iter().zip(sounds) {
            let voice = BeatVoice { beat: id.clone(), voice: VOICE.to_owned(), tries: 0, characters: 0 };
            let narration = Narration::restored(sound, Vec::new(), Some(voice), None);
            handover.recorded.insert(id.clone(), narration);
            // Between two of its beats the recording goes on: its own pauses are in it.
            if Some(id) != last
                && let Some(beat) = scene.beats.iter_mut().find(|beat| beat.id == *id)
            {
                beat.pause_ms = 0;
            }
        }
    }
    lease.report(JobEvent::Warned(warnings.clone()));
    // The machines that go on tell what the storyboard does.
    handover.storyboard.warnings.extend(warnings);
    handover
}

fn left_out(recorded: &Recorded, why: &str) -> Warning {
    let message =
        format!("the recording `{}` is left out, and the film's voice speaks its words: {why}", recorded.source);
    WarningCode::VoiceRecordingLeftOut.at(recorded.place, message)
}

/// All recordings that are wanted, each with its beats: those that the document names, then those of the folder for scenes that none
/// is named for.
async fn wanted(
    storyboard: &Storyboard,
    asset_base: &AssetBase,
    services: &Services,
    deadline: Deadline,
) -> (Vec<Recorded>, Vec<Warning>) {
    let mut warnings = Vec::new();
    let place = |beats: &[String]| {
        let mut all = storyboard.scenes.iter().flat_map(|scene| &scene.beats);
        all.find(|beat| beats.first() == Some(&beat.id)).and_then(|beat| beat.place)
    };
    let named = storyboard.recordings.iter().map(|one| Recorded {
        source: one.source.clone(),
        beats: one.beats.clone(),
        place: place(&one.beats),
    });
    let mut wanted: Vec<Recorded> = named.collect();
    if let Some(folder) = &storyboard.voice.recording {
        match assets::list(folder, asset_base, &services.store, deadline).await {
            Ok(files) => {
                let (found, told) = of_folder(storyboard, folder, &files);
                wanted.extend(found);
                warnings.extend(told);
            }
            Err(why) => {
                let message = format!("there are no recordings in `{folder}`, and the film's voice speaks: {why}");
                warnings.push(WarningCode::VoiceRecordingLeftOut.at(None, message));
            }
        }
    }
    let is_program = |recorded: &Recorded| {
        let of = |scene: &&Scene| scene.beats.iter().any(|beat| recorded.beats.first() == Some(&beat.id));
        storyboard.scenes.iter().find(of).is_some_and(|scene| matches!(scene.kind, SceneKind::Manim(_)))
    };
    wanted.retain(|recorded| {
        let why = "a Manim program asks for its words itself";
        let usable = !is_program(recorded);
        warnings.extend((!usable).then(|| left_out(recorded, why)));
        usable
    });
    let surplus = wanted.split_off(MOST.min(wanted.len()));
    let why = format!("a film has {MOST} recordings at the most");
    warnings.extend(surplus.iter().map(|recorded| left_out(recorded, &why)));
    (wanted, warnings)
}

/// The recordings in a folder: a file belongs to the scene whose id is its name, or whose number it begins with, counted from 1 in the
/// order of the film.
fn of_folder(storyboard: &Storyboard, folder: &str, files: &[String]) -> (Vec<Recorded>, Vec<Warning>) {
    let mut taken: BTreeMap<usize, &String> = BTreeMap::new();
    let mut unused = Vec::new();
    let sounds = files.iter().filter(|file| {
        let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        SOUNDS.contains(&ending.as_str())
    });
    let (by_id, by_number): (Vec<_>, Vec<_>) =
        sounds.partition(|file| storyboard.scenes.iter().any(|scene| scene.id == stem(file)));
    for file in by_id.into_iter().chain(by_number) {
        let is_of = |scene: &Scene| scene.id == stem(file);
        let scene = storyboard.scenes.iter().position(is_of).or_else(|| number(stem(file)));
        match scene.filter(|scene| *scene < storyboard.scenes.len() && !taken.contains_key(scene)) {
            Some(scene) => _ = taken.insert(scene, file),
            None => unused.push(file),
        }
    }
    let named: BTreeSet<&String> = storyboard.recordings.iter().flat_map(|one| &one.beats).collect();
    let (mut found, mut warnings, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (index, scene) in storyboard.scenes.iter().enumerate() {
        let words = scene.beats.iter().filter(|beat| !beat.narration.trim().is_empty() && !named.contains(&beat.id));
        let beats: Vec<String> = words.map(|beat| beat.id.clone()).collect();
        match taken.get(&index) {
            Some(file) if beats.is_empty() => unused.push(file),
            Some(file) => found.push(Recorded { source: (*file).clone(), beats, place: scene.place }),
            None if beats.is_empty() => {}
            None => missing.push(format!("{} (`{}`)", index + 1, scene.id)),
        }
    }
    if !missing.is_empty() {
        let scenes = if missing.len() == 1 { "scene" } else { "scenes" };
        let message = format!(
            "there is no recording in `{folder}` for {scenes} {}: the film's voice speaks there",
            missing.join(", ")
        );
        warnings.push(WarningCode::VoiceRecordingLeftOut.at(None, message));
    }
    for file in unused {
        let message = format!(
            "the recording `{file}` is not used: its name is neither the number nor the id of a scene with words that has no other one"
        );
        warnings.push(WarningCode::InputFileUnused.at(None, message));
    }
    (found, warnings)
}

/// A file's name without folders and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// The index of the scene that a name begins with the number of: `03`, `3`, `03-the-theorem`, `3 take two`.
fn number(stem: &str) -> Option<usize> {
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let ends = stem[digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    let number: usize = stem[..digits].parse().ok().filter(|_| ends)?;
    number.checked_sub(1)
}

/// The sound of each beat of a recording, and what is to be told of it.
#[expect(clippy::too_many_arguments, reason = "called once")]
async fn sounds(
    recorded: &Recorded,
    scene: &Scene,
    asset_base: &AssetBase,
    number: usize,
    fps: u32,
    services: &Services,
    folder: &Path,
    deadline: Deadline,
) -> Result<(Vec<Sound>, Option<Warning>), String> {
    let copy = folder.join(format!("recording-{number}"));
    let asset = assets::fetch(&recorded.source, LARGEST, asset_base, &services.store, copy, deadline).await?;
    let decoded = services.assembler.decoded(&asset.path, &format!("recording-{number}.s16le"), folder, deadline).await;
    let _ = tokio::fs::remove_file(&asset.path).await;
    let decoded = decoded?;
    let of = |id: &String| scene.beats.iter().find(|beat| beat.id == *id);
    let beats: Vec<_> = recorded.beats.iter().filter_map(of).collect();
    let shares: Vec<f64> = beats.iter().map(|beat| f64::from(beat.estimate_ms.max(1))).collect();
    let expected = shares.iter().sum::<f64>() / 1000.0;
    // Its hash names the files, as other bytes are another sound.
    let paths: Vec<_> = (0..beats.len())
        .map(|index| folder.join(format!("recorded-{number}-{index}-{}.s16le", &asset.sha256[..16])))
        .collect();
    let cut = deadline.work(move |cutoff| divided(&decoded, &shares, &paths, samples_per_frame(fps) as usize, cutoff));
    let (sounds, samples) = cut.await.map_err(|stopped| stopped.to_string())??;
    let seconds = samples as f64 / f64::from(SAMPLE_RATE);
    let far = seconds > expected * FAR + 1.0 || seconds * FAR + 1.0 < expected;
    let told = far.then(|| {
        let message = format!(
            "the recording `{}` lasts {seconds:.1} s, but its words would take about {expected:.1} s: is it the right one?",
            recorded.source
        );
        WarningCode::VoiceRecordingLength.at(recorded.place, message)
    });
    Ok((sounds, told))
}

/// Writes the parts of a decoded recording, at the film's loudness, and gives them with the samples of all.
fn divided(
    decoded: &Path,
    shares: &[f64],
    paths: &[std::path::PathBuf],
    frame: usize,
    cutoff: &Cutoff,
) -> Result<(Vec<Sound>, usize), String> {
    let bytes = std::fs::read(decoded).map_err(|error| error.to_string())?;
    let _ = std::fs::remove_file(decoded);
    let samples = audio::samples(&bytes);
    if samples.is_empty() {
        return Err("it has no sound".to_owned());
    }
    if samples.iter().all(|sample| sample.abs() < SILENCE) {
        return Err("its sound is silent".to_owned());
    }
    cutoff.check().map_err(|passed| passed.to_string())?;
    let cuts = cuts(&samples, shares, frame);
    // As a whole, so that what was said more softly stays so.
    let loud = audio::normalized(&samples, &mut || cutoff.check().is_ok());
    tracing::debug!(
        seconds = samples.len() / SAMPLE_RATE as usize,
        parts = shares.len(),
        lufs = LOUDNESS,
        "a recording is divided"
    );
    let begins = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([samples.len()]);
    let mut sounds = Vec::new();
    for ((begin, end), path) in begins.zip(ends).zip(paths) {
        let part = loud.get(2 * begin..2 * end).ok_or("there was no time left for it")?;
        std::fs::write(path, part).map_err(|error| error.to_string())?;
        sounds.push(Sound::at(Some(path.clone()), end - begin));
    }
    Ok((sounds, samples.len()))
}

/// Where a recording is cut: at the quietest moment near to where each beat's share of the words ends, on whole frames, so that its parts
/// follow each other without a gap.
fn cuts(samples: &[f32], shares: &[f64], frame: usize) -> Vec<usize> {
    let whole: f64 = shares.iter().sum();
    let frames = samples.len() / frame;
    let (mut cuts, mut before, mut spoken) = (Vec::new(), 0_usize, 0.0);
    for index in 1..shares.len() {
        spoken += shares[index - 1];
        let length = |share: f64| share / whole * frames as f64;
        let target = length(spoken);
        let (back, forth) = (length(shares[index - 1]) / 2.0, length(shares[index]) / 2.0);
        // A frame is left for each of the parts that follow.
        let last = frames.saturating_sub(shares.len() - index);
        let low = ((target - back).ceil() as usize).max(before + 1).min(last);
        let high = ((target + forth).floor() as usize).min(last).max(low);
        let cost = |cut: &usize| {
            let at = cut * frame;
            let around = &samples[at.saturating_sub(QUIET)..(at + QUIET).min(samples.len())];
            let power =
                around.iter().map(|sample| f64::from(sample * sample)).sum::<f64>() / around.len().max(1) as f64;
            let away = (*cut as f64 - target) / if (*cut as f64) < target { back } else { forth }.max(1.0);
            10.0 * power.max(1e-6).log10() + DISTANCE * away.abs()
        };
        let best = (low..=high).map(|cut| (cut, cost(&cut))).min_by(|a, b| a.1.total_cmp(&b.1));
        before = best.map_or(low, |(cut, _)| cut);
        cuts.push((before * frame).min(samples.len()));
    }
    cuts
}

/// What was recorded of a film, by beat.
pub type Narrations = HashMap<String, Narration>;

#[cfg(test)]
mod tests {
    use super::*;

    fn film(scenes: &[(&str, usize)]) -> Storyboard {
        let beat = |scene: &str, number: usize| {
            serde_json::json!({"id": format!("{scene}-{number}"), "narration": "Words.",
            "pause_ms": 0, "actions": [], "estimate_ms": 1000, "place": null})
        };
        let scene = |(id, beats): &(&str, usize)| {
            serde_json::json!({"id": id, "kind": "lesson", "heading": id, "place": null,
            "beats": (1..=*beats).map(|number| beat(id, number)).collect::<Vec<_>>()})
        };
        serde_json::from_value(serde_json::json!({"title": "T", "language": "en", "theme": "dark", "quality": null,
            "on_failure": null, "music": null, "intro": null, "outro": null, "warnings": [],
            "voice": {"chain": [], "name": null, "words_per_minute": null, "model": null, "consistency": null, "max_characters": null},
            "scenes": scenes.iter().map(scene).collect::<Vec<_>>()}))
        .unwrap()
    }

    #[test]
    fn files_of_a_folder_belong_to_scenes_by_id_or_number() {
        let storyboard = film(&[("start", 1), ("the-theorem", 2), ("2nd-way", 1), ("end", 1)]);
        let files = [
            "n/01.wav",
            "n/02-take-two.MP3",
            "n/2nd-way.flac",
            "n/notes.txt",
            "n/4.wav",
            "n/04.ogg",
            "n/start.wav",
            "n/9.wav",
        ];
        let (found, warnings) = of_folder(&storyboard, "n", &files.map(str::to_owned));
        let found: Vec<_> = found.iter().map(|one| (&*one.source, one.beats.join(" "))).collect();
        let beats = |text: &str| text.to_owned();
        assert_eq!(
            found,
            [
                ("n/start.wav", beats("start-1")),
                ("n/02-take-two.MP3", beats("the-theorem-1 the-theorem-2")),
                ("n/2nd-way.flac", beats("2nd-way-1")),
                ("n/4.wav", beats("end-1")),
            ]
        );
        let unused: Vec<_> = warnings.iter().map(|one| one.message.split('`').nth(1).unwrap()).collect();
        assert_eq!(unused, ["n/01.wav", "n/04.ogg", "n/9.wav"]);
        let (found, warnings) = of_folder(&storyboard, "n", &["n/2.wav".to_owned()]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            warnings[0].message,
            "there is no recording in `n` for scenes 1 (`start`), 3 (`2nd-way`), 4 (`end`): the film's voice speaks there"
        );
        for (name, index) in
            [("1", Some(0)), ("007", Some(6)), ("12_b", Some(11)), ("0", None), ("3rd", None), ("a1", None)]
        {
            assert_eq!(number(name), index, "{name}");
        }
    }

    /// Speech of so many seconds for each part, with a pause of 200 ms after each.
    fn parts(seconds: &[f64]) -> Vec<f32> {
        let mut samples = Vec::new();
        for length in seconds {
            samples.extend((0..(length * 48_000.0) as usize).map(|n| (n as f32 * 0.07).sin() * 0.4));
            samples.extend(vec![0.0; 9_600]);
        }
        samples
    }

    #[test]
    fn a_recording_is_cut_in_its_pauses_on_whole_frames() {
        let samples = parts(&[2.0, 1.0, 4.0]);
        // The words' shares are not those of the sound.
        let cuts = cuts(&samples, &[2.4, 1.4, 4.0], 1_600);
        assert_eq!(cuts.len(), 2);
        for (cut, pause) in cuts.iter().zip([96_000..105_600, 153_600..163_200]) {
            assert!(cut % 1_600 == 0 && pause.contains(cut), "{cut} {pause:?}");
        }
        // Without any pause, by the words' shares; and where there is less sound than there are beats, in order.
        let steady: Vec<f32> = (0..96_000).map(|n| (n as f32 * 0.07).sin() * 0.4).collect();
        assert_eq!(super::cuts(&steady, &[1.0, 3.0], 1_600)[0] / 1_600, 15);
        let short = super::cuts(&steady[..3_000], &[1.0; 5], 1_600);
        assert!(short.is_sorted() && short.iter().all(|cut| *cut <= 3_000), "{short:?}");
    }

    #[test]
    fn nothing_of_a_recording_is_lost_and_it_is_as_loud_as_the_film() {
        let folder = tempfile::tempdir().unwrap();
        let soon: Cutoff = Deadline::after(std::time::Duration::from_secs(60)).into();
        let write = |name: &str, samples: &[f32]| {
            let path = folder.path().join(name);
            let bytes: Vec<u8> = samples.iter().flat_map(|one| ((one * 32_767.0) as i16).to_le_bytes()).collect();
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let samples: Vec<f32> = parts(&[1.5, 2.0]).iter().map(|one| one * 0.05).collect();
        let paths = [folder.path().join("a"), folder.path().join("b")];
        let (sounds, whole) = divided(&write("quiet", &samples), &[1.0, 1.0], &paths, 800, &soon).unwrap();
        assert_eq!(sounds.iter().map(Sound::samples).sum::<usize>(), whole);
        assert_eq!((whole, sounds[0].samples() % 800), (samples.len(), 0));
        let joined: Vec<f32> = sounds.iter().flat_map(|sound| sound.read().unwrap()).collect();
        let gain = joined[1_000] / samples[1_000];
        let peak = |samples: &[f32]| samples.iter().fold(0.0_f32, |peak, one| peak.max(one.abs()));
        assert!(gain > 5.0 && (peak(&joined) / peak(&samples) / gain - 1.0).abs() < 0.05, "{gain}");
        for (samples, why) in [(vec![], "no sound"), (vec![0.0; 48_000], "silent")] {
            let said = divided(&write("none", &samples), &[1.0, 1.0], &paths, 800, &soon).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
