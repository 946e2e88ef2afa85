//! The shape in which a lecture plan is asked for: the JSON Schema is made of it. The reader takes far more than this.

use schemars::JsonSchema;
use serde::Serialize;

/// A lecture plan.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Plan {
    /// What the lecture teaches, in words; not shown.
    pub(crate) solution: Option<String>,
    /// The film.
    pub(crate) animation_plan: AnimationPlan,
}

/// The film.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AnimationPlan {
    /// The film's title.
    pub(crate) title: Option<String>,
    /// BCP 47, for example `en` or `de-AT`; `en` when it is missing.
    pub(crate) language: Option<String>,
    /// `dark` (also when it is missing) or `light`, or a map of colours: `{"base": "light", "background": "#fff8e7", "text": "navy"}`,
    /// and of `panel`, `muted`, `accent` and `code`.
    pub(crate) theme: Option<serde_json::Value>,
    /// A picture beside the plan that stands small in a corner of each scene.
    pub(crate) logo: Option<String>,
    /// `{"recording": "narration/"}`: a folder beside the plan with one recording for each scene, named by its number or id.
    pub(crate) voice: Option<serde_json::Value>,
    /// The shape of the picture: `16:9` (also when it is missing), `9:16` or `1:1`.
    pub(crate) aspect: Option<String>,
    /// Other languages that captions are wanted in, BCP 47. The words come from the same plan in that language, which lies
    /// beside this one: `plan.captions.de.json` for `plan.json`.
    pub(crate) captions: Option<Vec<String>>,
    /// In film order.
    pub(crate) scenes: Vec<Scene>,
}

/// A scene.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Scene {
    /// Unique in the film.
    pub(crate) id: String,
    /// Shown above the body; made of the description when it is missing.
    pub(crate) title: Option<String>,
    /// What the scene is about.
    pub(crate) description: Option<String>,
    /// Spoken while the scene is shown; `$…$` is read out as words.
    pub(crate) voiceover: Option<String>,
    /// A sound file beside the plan in which the scene's words are spoken.
    pub(crate) recording: Option<String>,
    /// How long a scene without words stands, in seconds.
    pub(crate) duration_seconds: Option<f64>,
    /// What is shown, in order.
    pub(crate) elements: Vec<Element>,
}

/// Something to show.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Element {
    /// Unique in its scene.
    pub(crate) id: String,
    /// What it is, in any case.
    #[schemars(extend("enum" = TYPES))]
    pub(crate) r#type: String,
    /// Text, LaTeX, program or expression such as `x^2/10`; of a `highlight` the id of its target. Figures take a map
    /// of parameters: `x_range`, `radius`, `width`, `height`, `start`, `end`, `vertices`.
    pub(crate) content: Option<serde_json::Value>,
    /// `center`, `top left`, … or a point `[x, y, z]`; the frame is 14.22 wide and 8 high, the origin in its middle.
    pub(crate) position: Option<serde_json::Value>,
    /// How it looks.
    pub(crate) style: Option<Style>,
    /// When it enters.
    pub(crate) timing: Option<Timing>,
    /// Spoken when it comes.
    pub(crate) voiceover: Option<String>,
}

/// How an element looks.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Style {
    /// A colour by name or as `#rrggbb`.
    pub(crate) color: Option<String>,
    /// Colour of its inside.
    pub(crate) fill_color: Option<String>,
    /// 0 to 1.
    pub(crate) opacity: Option<f64>,
    /// 48 is the usual one.
    pub(crate) font_size: Option<f64>,
}

/// When an element enters.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Timing {
    /// Seconds after its words begin.
    pub(crate) start: Option<f64>,
    /// Seconds.
    pub(crate) duration: Option<f64>,
    /// `write`, `create`, `fade`, `grow`, `slide`, `none`.
    pub(crate) animation: Option<String>,
}

/// The types that are asked for.
const TYPES: &[&str] = &[
    "text",
    "title",
    "paragraph",
    "bullets",
    "code",
    "table",
    "image",
    "mathtex",
    "latex",
    "axes",
    "graph",
    "plot",
    "area",
    "parametric",
    "vectorfield",
    "streamlines",
    "numberline",
    "barchart",
    "parametric3d",
    "axes3d",
    "highlight",
    "circle",
    "ellipse",
    "rectangle",
    "polygon",
    "annulus",
    "arrow",
    "line",
    "dashedline",
    "vector",
    "brace",
    "dot",
    "sphere3d",
    "cylinder3d",
    "box3d",
    "surface3d",
    "cone3d",
    "torus3d",
    "arrow3d",
];

#[test]
fn a_plan_of_every_type_that_is_asked_for_is_read() {
    let element = |(index, name): (usize, &&str)| Element {
        id: format!("e{index}"),
        r#type: (*name).to_owned(),
        content: Some(match *name {
            "barchart" => serde_json::json!({"values": [1, 2], "labels": ["a", "b"]}),
            "table" => serde_json::json!([["a", "b"], [1, 2]]),
            "image" => "pictures/a.png".into(),
            "highlight" => "e0".into(),
            "vectorfield" | "streamlines" => "(-y, x)".into(),
            "parametric" => "(cos(t), sin(t))".into(),
            "parametric3d" => "(cos(t), sin(t), t)".into(),
            "surface3d" => "x*y".into(),
            _ => "x^2".into(),
        }),
        position: Some("center".into()),
        style: Some(Style { color: Some("red".to_owned()), fill_color: None, opacity: None, font_size: Some(48.0) }),
        timing: Some(Timing { start: Some(0.5), duration: Some(1.0), animation: Some("fade".to_owned()) }),
        voiceover: None,
    };
    let scene = |(index, name): (usize, &&str)| Scene {
        id: format!("s{index}"),
        title: Some((*name).to_owned()),
        description: None,
        voiceover: Some("Words.".to_owned()),
        recording: None,
        duration_seconds: Some(3.0),
        elements: [element((0, &"text")), element((index + 1, name))].into(),
    };
    let scenes: Vec<Scene> = TYPES.iter().enumerate().map(scene).collect();
    let film = AnimationPlan {
        title: Some("All".to_owned()),
        language: None,
        theme: None,
        logo: None,
        voice: None,
        aspect: None,
        captions: None,
        scenes,
    };
    let plan = Plan { solution: None, animation_plan: film };
    let storyboard = crate::lecture::plan("plan.json", &serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(storyboard.warnings, []);
    assert_eq!(storyboard.scenes.len(), TYPES.len() + 1, "and the card with its title");
}
