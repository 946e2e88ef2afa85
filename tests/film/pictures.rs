//! The poster and the pictures of the scenes, against the film itself, decoded frame by frame.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::harness::{Harness, REPOSITORY};

/// The second scene is by far the longest, and has the least to be seen; the first ends with all of its list.
const LESSON: &str = "\
# Shapes

## Names

- A triangle has three sides and three corners.
- A square has four sides, all of them equally long.
- A pentagon has five sides and five corners.
- A hexagon has six sides, like the cells of bees.

## One number

The sum of the angles of any triangle, however long its sides may be, is always the same, on this page and on any other that is flat, \
and whoever has measured it once in a triangle of paper, by tearing off its corners and laying them side by side, has seen it for all.

$$180$$
";

/// A picture, or one frame of a film, as 96 by 54 levels of grey.
fn grey(path: &Path, frame: Option<u64>) -> Vec<u8> {
    let select = frame.map(|frame| format!("select=eq(n\\,{frame}),")).unwrap_or_default();
    let filter = format!("{select}scale=96:54:flags=area,format=gray");
    let output = Command::new(Path::new(REPOSITORY).join("target/layers/bin/ffmpeg"))
        .args(["-v", "error", "-i", path.to_str().unwrap(), "-vf", &filter, "-frames:v", "1", "-f", "rawvideo", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 96 * 54, "{}", path.display());
    output.stdout
}

/// The mean difference of two pictures in levels of 255.
fn difference(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn poster_and_page_show_the_fullest_picture_of_each_scene_and_none_in_movement() {
    let harness = Harness::new();
    let made = harness.render(&harness.document("shapes.md", LESSON), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    let (film, sync) = (made.out.join("film.mp4"), made.json("sync.json"));
    let scenes = sync["ledger"]["scenes"].as_array().unwrap();
    let share = |scene: &Value| scene["still"]["share"].as_f64().unwrap();
    let fullest = scenes.iter().max_by(|a, b| share(a).total_cmp(&share(b))).unwrap();
    let longest = scenes.iter().max_by_key(|scene| number(&scene["frames"])).unwrap();
    assert_eq!((&fullest["heading"], &longest["heading"]), (&"Names".into(), &"One number".into()), "{scenes:?}");
    let still = |scene: &Value| number(&scene["first_frame"]) + number(&scene["still"]["frame"]);

    let poster = grey(&made.out.join("poster.jpg"), None);
    assert!(difference(&poster, &grey(&film, Some(still(fullest)))) < 1.0);
    // It is what the scene has shown in the end: the frame before is the same, and none later is fuller, for the fade begins right there.
    let end = number(&fullest["first_frame"]) + number(&fullest["frames"]);
    let ink = |picture: &[u8]| picture.iter().filter(|level| level.abs_diff(picture[0]) > 24).count();
    let later = (still(fullest)..end).map(|frame| ink(&grey(&film, Some(frame)))).max().unwrap();
    assert!(ink(&poster) + 3 >= later && ink(&poster) > 2 * ink(&grey(&film, Some(end - 2))), "{later}");
    assert!(ink(&poster) > ink(&grey(&film, Some(still(longest)))));

    // The page has one for each scene, in the film's order, and each is its scene's.
    let page = std::fs::read_to_string(made.out.join("index.html")).unwrap();
    let pictures: Vec<&str> =
        page.split("src=\"data:image/jpeg;base64,").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(pictures.len(), scenes.len());
    for (picture, scene) in pictures.iter().zip(scenes) {
        let bytes = BASE64_STANDARD.decode(picture).unwrap();
        assert!(bytes.len() < 30_000, "{} bytes", bytes.len());
        let path = harness.path("scene.jpg");
        std::fs::write(&path, bytes).unwrap();
        let shown = grey(&path, None);
        let own = difference(&shown, &grey(&film, Some(still(scene))));
        let others = scenes.iter().filter(|other| other["id"] != scene["id"]);
        let nearest = others.map(|other| difference(&shown, &grey(&film, Some(still(other))))).fold(f64::MAX, f64::min);
        assert!(own < 1.5 && nearest > 4.0 * own, "{}: {own} {nearest}", scene["id"]);
    }
}

#[test]
fn a_page_without_pictures_of_its_scenes_costs_no_film() {
    let harness = Harness::new().with_program("ffmpeg", "[[ \"$*\" != *scene-1.jpg* ]] && exec REAL \"$@\"\nexit 1");
    let made = harness.render(&harness.document("small.md", crate::harness::SMALL), &[]);
    assert_eq!(made.code(), 0, "{}", made.words());
    assert_eq!(made.status()["state"], "succeeded");
    let page = std::fs::read_to_string(made.out.join("index.html")).unwrap();
    assert!(page.contains("class=\"chapters\"") && !page.contains("<img"));
    let log = std::fs::read_to_string(made.out.join("log.jsonl")).unwrap();
    assert!(log.contains("the page has no pictures of the scenes"), "{log}");
}
