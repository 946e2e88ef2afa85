//! The same document in other languages, for captions in them. It is stored next to the document, under the
//! name of [`keys::translation`], and is planned like the document: in the sandbox, by the same planner.
//!
//! In: a storyboard, and the location of its document. Out: for each language that it names, the text of each beat. A translation
//! that is missing, or does not match the film, gives a warning, and never costs the film.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use storyboard::{Beat, Document, Scene, Storyboard, Warning};

use crate::deadline::Deadline;
use crate::error::WarningCode;
use crate::intake::MAX_DOCUMENT;
use crate::intake::assets::AssetBase;
use crate::job::keys;
use crate::plan::{Limits, Sandbox};
use crate::store::Store;

/// Languages at a time.
const AT_ONCE: usize = 2;

/// A translation, if it is there, and warnings.
type Made = (Option<Translation>, Vec<Warning>);

/// A film's text in another language, for captions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    /// BCP 47, as the document spells it.
    pub language: String,
    /// In film order.
    pub passages: Vec<Passage>,
}

/// A text in another language, and the beats that it translates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// Ids of beats in film order, at least one.
    pub beats: Vec<String>,
    /// The words.
    pub text: String,
}

/// What is needed to find and plan translations.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    /// The document's own name.
    pub document: &'a str,
    /// Its location.
    pub asset_base: &'a AssetBase,
    /// The planner of the document.
    pub sandbox: &'a Sandbox,
    /// Where objects are.
    pub store: &'a Store,
}

impl Library<'_> {
    /// The translations that `storyboard` names, in its order, and warnings. `folder` is for copies.
    pub async fn translations(
        self,
        storyboard: &Storyboard,
        folder: &Path,
        deadline: Deadline,
    ) -> (Vec<Translation>, Vec<Warning>) {
        // Boxed: the compiler can't prove that the closures' futures are `Send`.
        let mut made: Vec<BoxFuture<'_, Made>> = Vec::new();
        for (number, language) in storyboard.captions.iter().enumerate() {
            let copy = folder.join(format!("translation-{number}"));
            made.push(Box::pin(self.translation(storyboard, language, copy, deadline)));
        }
        let made: Vec<Made> = stream::iter(made).buffered(AT_ONCE).collect().await;
        let (translations, warnings): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        (translations.into_iter().flatten().collect(), warnings.into_iter().flatten().collect())
    }

    async fn translation(self, film: &Storyboard, language: &str, copy: PathBuf, deadline: Deadline) -> Made {
        let name = keys::translation(self.document, language);
        let planned = deadline.run(self.planned(&name, copy, deadline)).await;
        match planned.unwrap_or_else(|_| Err("there was no time left for it".to_owned())) {
            Ok(translated) => {
                let (passages, mut warnings) = aligned(film, &translated, &name);
                warnings.extend(another_language(language, &translated.language, &name));
                warnings.extend(its_own(&translated, film, &name));
                (Some(Translation { language: language.to_owned(), passages }), warnings)
            }
            Err(why) => {
                let message = format!("there are no captions in `{language}`: {why}");
                (None, vec![WarningCode::CaptionsLeftOut.at(None, message)])
            }
        }
    }

    async fn planned(self, name: &str, copy: PathBuf, deadline: Deadline) -> Result<Storyboard, String> {
        let asset =
            crate::intake::assets::fetch(name, MAX_DOCUMENT, self.asset_base, self.store, copy, deadline).await?;
        let bytes = tokio::fs::read(&asset.path).await.map_err(|error| error.to_string())?;
        let document = Document { name: name.to_owned(), bytes };
        let planned = self.sandbox.plan(document, &Limits::default(), deadline).await;
        planned.map(|planned| planned.storyboard).map_err(|error| format!("`{name}` can't be planned: {error}"))
    }
}

/// A warning for a translation whose front matter names another language.
fn another_language(wanted: &str, found: &str, name: &str) -> Option<Warning> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let message = format!("`{name}` names `{found}` as its language; its captions are labelled `{wanted}`");
    (primary(wanted) != primary(found)).then(|| WarningCode::CaptionsAnotherLanguage.at(None, message))
}

/// The warnings of a translation that the lesson itself does not have. Its pictures are never drawn, but a warning about them may
/// hint at an error in its text.
fn its_own(translated: &Storyboard, film: &Storyboard, name: &str) -> Vec<Warning> {
    let known = |found: &&Warning| film.warnings.iter().any(|warning| warning.code == found.code);
    let attributed = |found: &Warning| {
        let place = found.place.map(|place| format!(", line {}", place.line)).unwrap_or_default();
        Warning { code: found.code.clone(), message: format!("`{name}`{place}: {}", found.message), place: None }
    };
    translated.warnings.iter().filter(|found| !known(found)).map(attributed).collect()
}

/// Aligns `translated` with the beats of `film`: scene by scene, and in a scene paragraph by paragraph. Where the numbers of paragraphs
/// differ, the text of the whole scene goes with the whole scene.
fn aligned(film: &Storyboard, translated: &Storyboard, name: &str) -> (Vec<Passage>, Vec<Warning>) {
    let mut passages = Vec::new();
    let mut warnings = Vec::new();
    let ids: HashSet<&str> = film.scenes.iter().map(|scene| scene.id.as_str()).collect();
    // Scenes of lecture plans have ids, the same in every language; the ids of lessons derive from headings.
    let by_id = translated.scenes.iter().all(|scene| ids.contains(scene.id.as_str()));
    if !by_id && film.scenes.len() != translated.scenes.len() {
        let (theirs, ours) = (translated.scenes.len(), film.scenes.len());
        let message = format!("`{name}` has {theirs} scenes, but the film has {ours}: they are matched in order");
        warnings.push(WarningCode::CaptionsScenesDiffer.at(None, message));
    }
    for (number, scene) in film.scenes.iter().enumerate() {
        let same = |other: &&Scene| other.id == scene.id;
        let other = if by_id { translated.scenes.iter().find(same) } else { translated.scenes.get(number) };
        let ours = paragraphs(scene);
        let theirs = other.map(paragraphs).unwrap_or_default();
        if ours.len() != theirs.len() {
            let place = other.and_then(|other| other.place).map(|place| format!(", line {}", place.line));
            let message = format!(
                "`{name}`{}: the scene `{}` has {} spoken paragraphs, and {} in the film",
                place.unwrap_or_default(),
                scene.heading,
                theirs.len(),
                ours.len()
            );
            warnings.push(WarningCode::CaptionsWordsDiffer.at(scene.place, message));
        }
        let words = |beats: &[&Beat]| beats.iter().map(|beat| beat.narration.trim()).collect::<Vec<_>>().join(" ");
        let ids = |beats: &[&Beat]| beats.iter().map(|beat| beat.id.clone()).collect::<Vec<_>>();
        if ours.len() == theirs.len() {
            let pairs = ours.iter().zip(&theirs);
            passages.extend(pairs.map(|(ours, theirs)| Passage { beats: ids(ours), text: words(theirs) }));
        } else if !ours.is_empty() && !theirs.is_empty() {
            passages.push(Passage { beats: ids(&ours.concat()), text: words(&theirs.concat()) });
        }
    }
    (passages, warnings)
}

/// The beats of a scene that are spoken, by the paragraphs that they come from: a long one makes several beats, and not as many
/// in every language.
fn paragraphs(scene: &Scene) -> Vec<Vec<&Beat>> {
    let spoken: Vec<&Beat> = scene.beats.iter().filter(|beat| !beat.narration.trim().is_empty()).collect();
    let same = |one: &&Beat, other: &&Beat| one.place.is_some() && one.place == other.place;
    spoken.chunk_by(same).map(<[&Beat]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storyboard(scenes: &[(&str, &[(&str, u32)])]) -> Storyboard {
        let scenes = scenes.iter().map(|(id, beats)| {
            let beats = beats.iter().enumerate().map(|(number, (words, line))| {
                serde_json::json!({"id": format!("{id}-{number}"), "narration": words, "pause_ms": 0, "actions": [],
                    "estimate_ms": 0, "place": {"line": line, "column": 1}})
            });
            serde_json::json!({"id": id, "kind": "lesson", "heading": id, "beats": beats.collect::<Vec<_>>(),
                "place": {"line": 1, "column": 1}})
        });
        let voice = serde_json::json!({"chain": [], "name": null, "words_per_minute": null, "model": null,
            "consistency": null, "max_characters": null});
        serde_json::from_value(serde_json::json!({"title": "T", "language": "en", "theme": "dark", "quality": null,
            "on_failure": null, "voice": voice, "music": null, "intro": null, "outro": null, "warnings": [],
            "scenes": scenes.collect::<Vec<_>>()}))
        .unwrap()
    }

    fn found(film: &Storyboard, translated: &Storyboard) -> (Vec<(String, String)>, Vec<String>) {
        let (passages, warnings) = aligned(film, translated, "a.captions.de.md");
        let passages = passages.into_iter().map(|passage| (passage.beats.join(" "), passage.text)).collect();
        (passages, warnings.into_iter().map(|warning| warning.code).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(beats, text)| ((*beats).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn paragraphs_are_matched_however_they_were_split() {
        let film =
            storyboard(&[("a", &[("One.", 3), ("", 5), ("Two.", 7), ("Still two.", 7)]), ("b", &[("Three.", 9)])]);
        let german = storyboard(&[("x", &[("Eins.", 3), ("Ganz eins.", 3), ("Zwei.", 8)]), ("y", &[("Drei.", 20)])]);
        let expected = pairs(&[("a-0", "Eins. Ganz eins."), ("a-2 a-3", "Zwei."), ("b-0", "Drei.")]);
        assert_eq!(found(&film, &german), (expected, Vec::new()));
    }

    #[test]
    fn scenes_with_other_paragraphs_are_matched_as_a_whole_with_a_warning() {
        let film = storyboard(&[("a", &[("One.", 3), ("Two.", 5)]), ("b", &[("Three.", 9)]), ("c", &[("Four.", 12)])]);
        let german = storyboard(&[("x", &[("Eins, zwei.", 3)]), ("y", &[("Drei.", 5)])]);
        let expected = pairs(&[("a-0 a-1", "Eins, zwei."), ("b-0", "Drei.")]);
        let codes = ["captions.scenes_differ", "captions.words_differ", "captions.words_differ"];
        assert_eq!(found(&film, &german), (expected, codes.map(str::to_owned).to_vec()));
    }

    #[test]
    fn scenes_are_matched_by_id() {
        let film = storyboard(&[("a", &[("One.", 3)]), ("b", &[("Two.", 5)]), ("c", &[("", 6)])]);
        let german = storyboard(&[("b", &[("Zwei.", 3)]), ("a", &[("Eins.", 5)])]);
        assert_eq!(found(&film, &german), (pairs(&[("a-0", "Eins."), ("b-0", "Zwei.")]), Vec::new()));
    }

    #[test]
    fn a_translations_warnings_name_its_file_and_line() {
        let warning =
            |code: &str, message: &str, place| Warning { code: code.to_owned(), message: message.to_owned(), place };
        let film = Storyboard { warnings: vec![warning("same", "a", None)], ..storyboard(&[]) };
        let place = Some(storyboard::Place { line: 7, column: 1 });
        let found = vec![warning("same", "b", None), warning("other", "no such fence", place)];
        let translated = Storyboard { warnings: found, ..storyboard(&[]) };
        let attributed = its_own(&translated, &film, "a.captions.de.md");
        assert_eq!(attributed, [warning("other", "`a.captions.de.md`, line 7: no such fence", None)]);
    }

    #[test]
    fn a_translation_in_another_language_gives_a_warning() {
        assert!(another_language("de", "de-AT", "n").is_none() && another_language("pt-BR", "pt", "n").is_none());
        assert!(another_language("de", "en", "n").is_some());
    }
}
