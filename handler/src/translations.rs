//! The same document in other languages, for captions in them. It lies beside the document, under the name that
//! [`keys::translation`] says, and is planned as the document itself is: in the sandbox, by the same planner.
//!
//! In: a storyboard, and where its document lies. Out: for each language that it names, what is said in it, beat by beat. A
//! translation that can't be had, or does not go with the film, costs a warning and never the film.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use storyboard::{Beat, Document, Place, Scene, Storyboard, Warning};

use crate::assemble::{Passage, Translation};
use crate::assets::{self, Beside};
use crate::deadline::Deadline;
use crate::intake::MAX_DOCUMENT;
use crate::plan::{Limits, Sandbox};
use crate::publish::keys;
use crate::store::Store;

/// Languages at a time.
const AT_ONCE: usize = 2;

/// A translation, if it could be had, and what could not be honoured.
type Made = (Option<Translation>, Vec<Warning>);

/// What is needed to find and to understand translations.
#[derive(Debug, Clone, Copy)]
pub struct Library<'a> {
    /// The document's own name.
    pub document: &'a str,
    /// Where it lies.
    pub beside: &'a Beside,
    /// The planner of the document.
    pub sandbox: &'a Sandbox,
    /// Where objects are.
    pub store: &'a Store,
}

impl Library<'_> {
    /// The translations that `storyboard` names, in its order, and what could not be honoured. `folder` is for copies.
    pub async fn translations(
        self,
        storyboard: &Storyboard,
        folder: &Path,
        deadline: Deadline,
    ) -> (Vec<Translation>, Vec<Warning>) {
        // Each in a box: whoever spawns a job must know that they are `Send`, and the compiler can't prove it of closures.
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
        match planned.unwrap_or_else(|_| Err("there was no time for it".to_owned())) {
            Ok(translated) => {
                let (passages, mut warnings) = aligned(film, &translated, &name);
                warnings.extend(another_language(language, &translated.language, &name));
                warnings.extend(its_own(&translated, film, &name));
                (Some(Translation { language: language.to_owned(), passages }), warnings)
            }
            Err(why) => {
                let message = format!("there are no captions in `{language}`: {why}");
                (None, vec![warning("captions.left_out", message, None)])
            }
        }
    }

    async fn planned(self, name: &str, copy: PathBuf, deadline: Deadline) -> Result<Storyboard, String> {
        let asset = assets::fetch(name, MAX_DOCUMENT, self.beside, self.store, copy, deadline).await?;
        let bytes = tokio::fs::read(&asset.path).await.map_err(|error| error.to_string())?;
        let document = Document { name: name.to_owned(), bytes };
        let planned = self.sandbox.plan(document, &Limits::default(), deadline).await;
        planned.map(|planned| planned.storyboard).map_err(|error| format!("`{name}` can't be planned: {error}"))
    }
}

fn warning(code: &str, message: String, place: Option<Place>) -> Warning {
    Warning { code: code.to_owned(), message, place }
}

/// A translation that says of itself that it is another one.
fn another_language(wanted: &str, found: &str, name: &str) -> Option<Warning> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let message = format!("`{name}` says that it is in `{found}`; it is shown as `{wanted}`");
    (primary(wanted) != primary(found)).then(|| warning("captions.another_language", message, None))
}

/// What the planner found in a translation and not in the lesson itself. Its pictures are never drawn, but what is wrong with them
/// may be what is wrong with the words.
fn its_own(translated: &Storyboard, film: &Storyboard, name: &str) -> Vec<Warning> {
    let known = |found: &&Warning| film.warnings.iter().any(|warning| warning.code == found.code);
    let told = |found: &Warning| {
        let place = found.place.map(|place| format!(", line {}", place.line)).unwrap_or_default();
        warning(&found.code, format!("`{name}`{place}: {}", found.message), None)
    };
    translated.warnings.iter().filter(|found| !known(found)).map(told).collect()
}

/// What of `translated` says the same as which beats of `film`: scene by scene, and in a scene paragraph by paragraph. Where their
/// numbers differ, the words of the whole scene go with the whole scene.
fn aligned(film: &Storyboard, translated: &Storyboard, name: &str) -> (Vec<Passage>, Vec<Warning>) {
    let mut passages = Vec::new();
    let mut warnings = Vec::new();
    let ids: HashSet<&str> = film.scenes.iter().map(|scene| scene.id.as_str()).collect();
    // Lecture plans give ids, which are the same in every language; those of lessons are made of headings.
    let by_id = translated.scenes.iter().all(|scene| ids.contains(scene.id.as_str()));
    if !by_id && film.scenes.len() != translated.scenes.len() {
        let (theirs, ours) = (translated.scenes.len(), film.scenes.len());
        let message = format!("`{name}` has {theirs} scenes and the film {ours}: they are taken in their order");
        warnings.push(warning("captions.scenes_differ", message, None));
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
            warnings.push(warning("captions.words_differ", message, scene.place));
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
    fn paragraphs_go_with_paragraphs_however_they_were_cut() {
        let film =
            storyboard(&[("a", &[("One.", 3), ("", 5), ("Two.", 7), ("Still two.", 7)]), ("b", &[("Three.", 9)])]);
        let german = storyboard(&[("x", &[("Eins.", 3), ("Ganz eins.", 3), ("Zwei.", 8)]), ("y", &[("Drei.", 20)])]);
        let expected = pairs(&[("a-0", "Eins. Ganz eins."), ("a-2 a-3", "Zwei."), ("b-0", "Drei.")]);
        assert_eq!(found(&film, &german), (expected, Vec::new()));
    }

    #[test]
    fn what_does_not_fit_goes_with_its_scene_and_is_told() {
        let film = storyboard(&[("a", &[("One.", 3), ("Two.", 5)]), ("b", &[("Three.", 9)]), ("c", &[("Four.", 12)])]);
        let german = storyboard(&[("x", &[("Eins, zwei.", 3)]), ("y", &[("Drei.", 5)])]);
        let expected = pairs(&[("a-0 a-1", "Eins, zwei."), ("b-0", "Drei.")]);
        let codes = ["captions.scenes_differ", "captions.words_differ", "captions.words_differ"];
        assert_eq!(found(&film, &german), (expected, codes.map(str::to_owned).to_vec()));
    }

    #[test]
    fn scenes_that_have_the_same_ids_are_the_same() {
        let film = storyboard(&[("a", &[("One.", 3)]), ("b", &[("Two.", 5)]), ("c", &[("", 6)])]);
        let german = storyboard(&[("b", &[("Zwei.", 3)]), ("a", &[("Eins.", 5)])]);
        assert_eq!(found(&film, &german), (pairs(&[("a-0", "Eins."), ("b-0", "Zwei.")]), Vec::new()));
    }

    #[test]
    fn what_is_wrong_with_a_translation_is_told_with_its_name_and_line() {
        let film = Storyboard { warnings: vec![warning("same", "a".to_owned(), None)], ..storyboard(&[]) };
        let place = Some(Place { line: 7, column: 1 });
        let found = vec![warning("same", "b".to_owned(), None), warning("other", "no such fence".to_owned(), place)];
        let translated = Storyboard { warnings: found, ..storyboard(&[]) };
        let told = its_own(&translated, &film, "a.captions.de.md");
        assert_eq!(told, [warning("other", "`a.captions.de.md`, line 7: no such fence".to_owned(), None)]);
    }

    #[test]
    fn a_translation_in_another_language_is_told() {
        assert!(another_language("de", "de-AT", "n").is_none() && another_language("pt-BR", "pt", "n").is_none());
        assert!(another_language("de", "en", "n").is_some());
    }
}
