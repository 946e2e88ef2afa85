//! The types of the storyboard. One definition serves three readers: the guest (lowered through `wit/planner.wit`), the host (lifted by
//! wasmtime, feature `host`) and JSON (`storyboard.json`, the stage's requests). Field and case order follow the WIT
//! file, for the host checks the two against each other when it loads a component.

use serde::{Deserialize, Serialize};

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Declares a record, a variant or an enumeration of words once with all its derives: serde always, wasmtime's for the host.
macro_rules! wit {
    ($(#[$doc:meta])* words $name:ident { $($(#[$cdoc:meta])* ($wit:literal) $word:literal $case:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(enum))]
        #[repr(u8)]
        pub enum $name {
            $($(#[$cdoc])* #[cfg_attr(feature = "host", component(name = $wit))] #[serde(rename = $word)] $case,)*
        }

        impl $name {
            /// All of them, in the order of the WIT file.
            pub const ALL: &'static [Self] = &[$(Self::$case),*];

            /// The word in JSON and in documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)*
                }
            }

            /// What a word names, in lower case as JSON has it.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            /// The words stand at each field, as they did before they were a type.
            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": [$($word),*]})
            }
        }
    };
    ($(#[$doc:meta])* record $name:ident { $($(#[$fdoc:meta])* $(($wit:literal))? $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $name {
            $($(#[$fdoc])* $(#[cfg_attr(feature = "host", component(name = $wit))])? pub $field: $ty,)*
        }
    };
    ($(#[$doc:meta])* variant $name:ident $(tag $tag:literal content $content:literal)? {
        $($(#[$cdoc:meta])* ($wit:literal) $case:ident $(($ty:ty))?,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $name {
            $($(#[$cdoc])* #[cfg_attr(feature = "host", component(name = $wit))] $case $(($ty))?,)*
        }
    };
}

wit! {
    /// A place in the document; line and column count from 1, columns in characters.
    #[derive(Copy, Eq)]
    record Place {
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
    }
}
wit! {
    /// Something the planner could not honour, and what it did instead.
    record Warning {
        /// Stable code, such as `plan.formula_not_understood`.
        code: String,
        /// For the author.
        message: String,
        /// Where in the document.
        place: Option<Place>,
    }
}
wit! {
    /// The whole film, as planned.
    record Storyboard {
        /// The film's title.
        title: String,
        /// BCP 47, for example `en` or `de-AT`.
        language: String,
        /// `dark` or `light`.
        theme: Theme,
        /// Colours of the author's own in the place of the theme's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        colours: Option<Colours>,
        /// `draft`, `standard`, `high` or `4k`; none leaves it to the job.
        quality: Option<Quality>,
        /// The shape of the picture; 16 to 9 when none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ("frame-shape") frame_shape: Option<FrameShape>,
        /// What becomes of a scene that can't be drawn: `still` (a still card stands in, also when none) or `fail` (the job ends).
        ("on-failure") on_failure: Option<OnFailure>,
        /// Who speaks, and how.
        voice: VoiceSettings,
        /// Background music, as an asset; none for none.
        music: Option<Music>,
        /// A clip before the film, with its own sound, as an asset; none for none.
        intro: Option<String>,
        /// A clip after the film, with its own sound, as an asset; none for none.
        outro: Option<String>,
        /// A picture that stands small in a corner of each scene, as an asset; none for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        logo: Option<String>,
        /// What is spoken by recordings of the author's own, apart from those of `voice.recording`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        recordings: Vec<Recording>,
        /// Other languages, BCP 47, that captions are wanted in: the words come from the same document in that language, which
        /// lies beside this one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        captions: Vec<String>,
        /// In film order.
        scenes: Vec<Scene>,
        /// What could not be honoured.
        warnings: Vec<Warning>,
    }
}
wit! {
    /// Light on dark, or dark on light.
    words Theme {
        /// Light letters on a dark ground.
        ("dark") "dark" Dark,
        /// Dark letters on a light ground.
        ("light") "light" Light,
    }
}
wit! {
    /// Colours of the author's own, as `#rrggbb`; none means the theme's.
    #[derive(Default)]
    record Colours {
        /// Behind everything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        background: Option<String>,
        /// Behind programs and remarks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        panel: Option<String>,
        /// Of words and formulas.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Of captions, axes and what else steps back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        muted: Option<String>,
        /// Of marks, bars and the first curve.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accent: Option<String>,
        /// Of code between words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    }
}
impl Theme {
    /// Its background, text and accent, as `chalkreel_stage/theme.py` has them.
    pub const fn colours(self) -> [&'static str; 3] {
        match self {
            Self::Dark => ["#131a24", "#e9edf3", "#5bb8f5"],
            Self::Light => ["#fbfaf7", "#1c2430", "#1668b0"],
        }
    }
}

impl Colours {
    /// Background, text and accent of a theme with the author's own colours in it.
    pub fn look(own: Option<&Self>, theme: Theme) -> [&str; 3] {
        let [background, text, accent] = theme.colours();
        let wanted =
            |of: fn(&Self) -> &Option<String>, otherwise| own.and_then(|own| of(own).as_deref()).unwrap_or(otherwise);
        [wanted(|own| &own.background, background), wanted(|own| &own.text, text), wanted(|own| &own.accent, accent)]
    }

    /// All that are there.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let all = [&self.background, &self.panel, &self.text, &self.muted, &self.accent, &self.code];
        all.into_iter().flatten().map(String::as_str)
    }

    /// The one of that name; none when no colour has it.
    pub fn named(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "background" => &mut self.background,
            "panel" => &mut self.panel,
            "text" => &mut self.text,
            "muted" => &mut self.muted,
            "accent" => &mut self.accent,
            "code" => &mut self.code,
            _ => return None,
        })
    }
}

wit! {
    /// A recording, and the beats whose words are in it.
    record Recording {
        /// The sound file, as an asset.
        source: String,
        /// Their ids, in film order; all of one scene.
        beats: Vec<String>,
    }
}
wit! {
    /// The shape of a picture that is not 16 to 9.
    words FrameShape {
        /// 9 to 16.
        ("portrait") "portrait" Portrait,
        /// As high as wide.
        ("square") "square" Square,
    }
}
wit! {
    /// Size and frame rate of the film.
    words Quality {
        /// 854 by 480 at 15 frames per second.
        ("draft") "draft" Draft,
        /// 1280 by 720 at 30.
        ("standard") "standard" Standard,
        /// 1920 by 1080 at 60.
        ("high") "high" High,
        /// 3840 by 2160 at 60; the word is `4k`.
        ("uhd") "4k" Uhd,
    }
}
wit! {
    /// What becomes of a scene that can't be drawn.
    words OnFailure {
        /// A still card stands in for it.
        ("still") "still" Still,
        /// The job ends.
        ("fail") "fail" Fail,
    }
}
wit! {
    /// What falls back together when a voice fails.
    words Consistency {
        /// The whole film.
        ("film") "film" Film,
        /// Each scene.
        ("scene") "scene" Scene,
        /// Each beat.
        ("beat") "beat" Beat,
    }
}
wit! {
    /// How a change begins and ends.
    words Easing {
        /// At one speed.
        ("linear") "linear" Linear,
        /// Begins slowly.
        ("ease-in") "ease-in" EaseIn,
        /// Ends slowly.
        ("ease-out") "ease-out" EaseOut,
        /// Begins and ends slowly.
        ("smooth") "smooth" Smooth,
        /// Comes back to where it was.
        ("there-and-back") "there-and-back" ThereAndBack,
    }
}
wit! {
    /// How an element comes onto the screen.
    words Entrance {
        /// Letter by letter.
        ("write") "write" Write,
        /// Line by line.
        ("create") "create" Create,
        /// Out of the ground.
        ("fade") "fade" Fade,
        /// From its centre.
        ("grow") "grow" Grow,
        /// From the side.
        ("slide") "slide" Slide,
        /// At once.
        ("none") "none" None,
    }
}
wit! {
    /// How an element leaves the screen.
    words Exit {
        /// Into the ground.
        ("fade") "fade" Fade,
        /// Into its centre.
        ("shrink") "shrink" Shrink,
        /// To the side.
        ("slide") "slide" Slide,
        /// At once.
        ("none") "none" None,
    }
}
wit! {
    /// A part of the frame.
    words Region {
        /// The middle.
        ("center") "center" Center,
        /// The upper edge.
        ("top") "top" Top,
        /// The lower edge.
        ("bottom") "bottom" Bottom,
        /// The left edge.
        ("left") "left" Left,
        /// The right edge.
        ("right") "right" Right,
        /// The upper left corner.
        ("top-left") "top-left" TopLeft,
        /// The upper right corner.
        ("top-right") "top-right" TopRight,
        /// The lower left corner.
        ("bottom-left") "bottom-left" BottomLeft,
        /// The lower right corner.
        ("bottom-right") "bottom-right" BottomRight,
    }
}
wit! {
    /// How the nodes of a graph are placed.
    words Layout {
        /// On a circle.
        ("circular") "circular" Circular,
        /// In layers along the edges.
        ("layered") "layered" Layered,
        /// As a tree, the root on top.
        ("tree") "tree" Tree,
        /// In rows and columns.
        ("grid") "grid" Grid,
        /// As if the edges were springs.
        ("spring") "spring" Spring,
    }
}
wit! {
    /// Who speaks, and how.
    #[derive(Default)]
    record VoiceSettings {
        /// Voices in the order to try them; empty means the job's own order.
        chain: Vec<String>,
        /// A voice's own name; none means by language.
        name: Option<String>,
        /// Words per minute; none means the voice's own pace.
        ("words-per-minute") words_per_minute: Option<u32>,
        /// The provider's model; none means the setting's.
        model: Option<String>,
        /// What falls back together when a voice fails: `film` (also when none), `scene` or `beat`.
        consistency: Option<Consistency>,
        /// Most characters that voices which cost money may speak; none means no limit.
        ("max-characters") max_characters: Option<u32>,
        /// A folder beside the document with one recording for each scene, named by the scene's number or id; none for none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recording: Option<String>,
    }
}
wit! {
    /// Background music.
    record Music {
        /// The sound file, as an asset.
        source: String,
        /// Loudness against the voice while nobody speaks, in decibels, at most 0.
        ("level-db") level_db: f64,
    }
}
wit! {
    /// One stretch of film, rendered to one clip.
    record Scene {
        /// Unique in the film: lower-case letters, digits and `-`.
        id: String,
        /// How the stage lays it out.
        kind: SceneKind,
        /// Shown above the body; the chapter's name.
        heading: String,
        /// In film order, at least one.
        beats: Vec<Beat>,
        /// Where in the document.
        place: Option<Place>,
    }
}
wit! {
    /// How the stage lays a scene out.
    variant SceneKind {
        /// The film's title, alone on the screen.
        ("title-card") TitleCard,
        /// A heading above a body in which elements are laid out.
        ("lesson") Lesson,
        /// The end of the film, alone on the screen.
        ("outro") Outro,
        /// A Manim scene class as it stands; beats give its length, actions are not used.
        ("manim") Manim(ManimScene),
    }
}
wit! {
    /// Somebody's own Manim program, and the class to render.
    record ManimScene {
        /// The whole Python source.
        source: String,
        /// Name of the scene class in it.
        class: String,
    }
}
wit! {
    /// One step of a scene: what changes on screen while one stretch of narration is heard.
    record Beat {
        /// Unique in the film.
        id: String,
        /// Words to speak, no markup; empty means a silent beat.
        narration: String,
        /// Silence after the words (or the whole length of a silent beat), in milliseconds.
        ("pause-ms") pause_ms: u32,
        /// What changes, in order.
        actions: Vec<Action>,
        /// The planner's guess at the spoken length, in milliseconds, pause not counted.
        ("estimate-ms") estimate_ms: u32,
        /// What the words speak of, in the order of the words.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cues: Vec<Cue>,
        /// Where in the document.
        place: Option<Place>,
        /// What must have passed when it ends; silence after its words makes up for a voice that is quicker than the guess.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<Hold>,
    }
}
wit! {
    /// How long something stands at least, so that it can be read.
    record Hold {
        /// Id of the beat that it came with: this one or an earlier one of the scene.
        since: String,
        /// From that beat's beginning to this one's end, in milliseconds.
        ms: u32,
    }
}
wit! {
    /// Words of a beat that speak of something on the screen. Words are counted from 0, as white space divides them.
    #[derive(Eq)]
    record Cue {
        /// Id of the element.
        target: String,
        /// The part of it: as a highlight names it, or `item 3`, `row 2`, `cell 2 3`, `curve 1`, `node 1`, `edge 2`, `bar 3`, `mark 1`
        /// or `shape 2`, counted from 1 as the element lists them; none means all of it.
        part: Option<String>,
        /// What happens to it.
        kind: CueKind,
        /// The first of the words.
        word: u32,
        /// How many words they are, at least 1.
        words: u32,
        /// When they begin, in milliseconds after the beat's start; from the voice, so no planner knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ("start-ms") start_ms: Option<u32>,
        /// Until when it is pointed at, in milliseconds after the beat's start; from the voice as well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ("end-ms") end_ms: Option<u32>,
    }
}
wit! {
    /// What happens to a thing when it is spoken of.
    words CueKind {
        /// It comes onto the screen, of an element that comes in this beat.
        ("reveal") "reveal" Reveal,
        /// It is pointed at.
        ("point") "point" Point,
    }
}
wit! {
    /// A change on the screen.
    variant Action {
        /// Bring an element onto the screen and keep it there.
        ("show") Show(Element),
        /// Take an element away by its id.
        ("remove") Remove(String),
        /// Take everything but the heading away.
        ("clear") Clear,
        /// Turn an element into another, which then stands in its place.
        ("transform") Transform(Transform),
        /// Draw the eye to an element for a while.
        ("highlight") Highlight(Highlight),
        /// Let an element step back, without leaving.
        ("dim") Dim(String),
        /// Put an element elsewhere.
        ("move") Move(Move),
        /// Move the camera.
        ("camera") Camera(Camera),
    }
}
wit! {
    /// Turn an element into another.
    record Transform {
        /// Id of the element that is there.
        from: String,
        /// What it becomes; has an id of its own.
        into: Element,
    }
}
wit! {
    /// Draw the eye to an element.
    record Highlight {
        /// Id of the element.
        target: String,
        /// A part of it: lines of code (`1`, `3-4`) or what a formula or text contains; none means all of it.
        part: Option<String>,
        /// A colour by name or as `#rrggbb`; none means the theme's accent.
        colour: Option<String>,
        /// When in the beat, and how long.
        timing: Option<Timing>,
    }
}
wit! {
    /// Put an element elsewhere.
    record Move {
        /// Id of the element.
        target: String,
        /// Where to.
        to: Placement,
        /// When in the beat, and how long.
        timing: Option<Timing>,
    }
}
wit! {
    /// Move the camera.
    record Camera {
        /// How.
        change: CameraChange,
        /// When in the beat, and how long.
        timing: Option<Timing>,
    }
}
wit! {
    /// What the camera does.
    variant CameraChange {
        /// Fill the frame with an element, by its id.
        ("zoom-to") ZoomTo(String),
        /// Show the whole frame again.
        ("back") Back,
        /// Go round a space by this angle, in degrees.
        ("orbit") Orbit(f64),
    }
}
wit! {
    /// When something happens inside its beat, and how.
    record Timing {
        /// From the beat's start, in milliseconds; none means in its turn.
        ("start-ms") start_ms: Option<u32>,
        /// Milliseconds; none means what suits it.
        ("duration-ms") duration_ms: Option<u32>,
        /// `linear`, `ease-in`, `ease-out`, `smooth`, `there-and-back`; none means smooth.
        easing: Option<Easing>,
        /// `write`, `create`, `fade`, `grow`, `slide`, `none`; none given means what suits the element.
        entrance: Option<Entrance>,
        /// `fade`, `shrink`, `slide`, `none`; none given means fade.
        exit: Option<Exit>,
    }
}
wit! {
    /// Where an element is wanted. The stage honours it as far as nothing covers anything.
    record Placement {
        /// `center`, `top`, `bottom`, `left`, `right`, `top-left`, `top-right`, `bottom-left`, `bottom-right`; none means by
        /// `at`, or in the flow of the page.
        region: Option<Region>,
        /// Its centre in Manim's units: the frame is 14.22 wide and 8 high, the origin in its middle.
        at: Option<Point3>,
    }
}
wit! {
    /// How an element looks.
    record Style {
        /// A colour by name or as `#rrggbb`; none means the theme's.
        colour: Option<String>,
        /// Colour of its inside; none means the theme's.
        fill: Option<String>,
        /// 0 to 1; none means opaque.
        opacity: Option<f64>,
        /// Size against the usual one; none means 1.
        scale: Option<f64>,
    }
}
wit! {
    /// A point in space.
    #[derive(Copy)]
    record Point3 {
        /// To the right.
        x: f64,
        /// Up (in the plane), or away (in space).
        y: f64,
        /// Towards the viewer (in the plane), or up (in space).
        z: f64,
    }
}
wit! {
    /// Something on the screen.
    record Element {
        /// Unique in its scene.
        id: String,
        /// What it is.
        kind: ElementKind,
        /// Where it is wanted; none means in the flow of the page.
        placement: Option<Placement>,
        /// How it looks; none means as the theme says.
        style: Option<Style>,
        /// When it enters; none means in its turn.
        timing: Option<Timing>,
        /// Where in the document.
        place: Option<Place>,
    }
}
wit! {
    /// What an element is.
    variant ElementKind {
        /// A paragraph or a line of its own.
        ("text") Text(RichText),
        /// A list.
        ("bullets") Bullets(Bullets),
        /// A displayed formula.
        ("equation") Equation(Equation),
        /// Program text.
        ("code") Code(Code),
        /// Axes with curves.
        ("axes") Axes(Axes),
        /// Something that could not be drawn: shown as a labelled box.
        ("placeholder") Placeholder(Placeholder),
        /// A call-out: a remark set apart.
        ("callout") Callout(RichText),
        /// A table.
        ("table") Table(Table),
        /// A picture.
        ("image") Image(Image),
        /// A number line.
        ("number-line") NumberLine(NumberLine),
        /// Shapes in one system of coordinates.
        ("drawing") Drawing(Drawing),
        /// Nodes and edges.
        ("graph") Graph(Graph),
        /// Bars.
        ("chart") Chart(Chart),
        /// A space in three dimensions.
        ("space") Space(Space),
    }
}
wit! {
    /// A table. Rows may be shorter than the widest one.
    record Table {
        /// First row, set apart; may be empty.
        header: Vec<RichText>,
        /// The others.
        rows: Vec<TableRow>,
        /// `left`, `center` or `right` for each column; missing ones are `left`.
        align: Vec<String>,
    }
}
impl Table {
    /// Whether no cell says anything.
    pub fn is_empty(&self) -> bool {
        self.header.iter().chain(self.rows.iter().flat_map(|row| &row.cells)).all(|cell| cell.spans.is_empty())
    }
}

wit! {
    /// A row of a table.
    record TableRow {
        /// From left to right.
        cells: Vec<RichText>,
    }
}
wit! {
    /// A picture: PNG, JPEG or SVG.
    record Image {
        /// As an asset: a path relative to the document, never a URL.
        source: String,
        /// What it shows, for whoever can't see it; shown when the picture can't be had.
        alt: String,
        /// Shown below; may be empty.
        caption: String,
    }
}
wit! {
    /// A number line.
    record NumberLine {
        /// Ends and ticks.
        axis: Axis,
        /// Points marked on it.
        marks: Vec<Mark>,
    }
}
wit! {
    /// A mark on a number line.
    record Mark {
        /// Where, in the line's own units.
        at: f64,
        /// Shown beside it; may be empty.
        label: String,
    }
}
wit! {
    /// Shapes in one system of coordinates, scaled together.
    record Drawing {
        /// Drawn in order.
        shapes: Vec<Shape>,
    }
}
wit! {
    /// A shape.
    record Shape {
        /// What it is.
        kind: ShapeKind,
        /// Shown beside or in it; may be empty.
        label: String,
        /// How it looks; none means as the theme says.
        style: Option<Style>,
    }
}
wit! {
    /// What a shape is. Lengths and points in the drawing's own units.
    variant ShapeKind {
        /// Corners in order, at least three.
        ("polygon") Polygon(Vec<Point>),
        /// A circle.
        ("circle") Circle(Circle),
        /// An ellipse.
        ("ellipse") Ellipse(Extent),
        /// A ring.
        ("annulus") Annulus(Annulus),
        /// A rectangle.
        ("rectangle") Rectangle(Extent),
        /// From, to.
        ("arrow") Arrow(Stroke),
        /// From, to.
        ("line") Line(Stroke),
        /// From, to.
        ("dashed-line") DashedLine(Stroke),
        /// A brace along the way from, to, on its left-hand side.
        ("brace") Brace(Stroke),
        /// A point.
        ("dot") Dot(Point),
        /// Text at a point: the shape's label.
        ("label") Label(Point),
    }
}
wit! {
    /// A circle.
    record Circle {
        /// Its centre.
        center: Point,
        /// Greater than 0.
        radius: f64,
    }
}
wit! {
    /// A rectangle, or the ellipse in it.
    record Extent {
        /// Its centre.
        center: Point,
        /// Greater than 0.
        width: f64,
        /// Greater than 0.
        height: f64,
    }
}
wit! {
    /// A ring.
    record Annulus {
        /// Its centre.
        center: Point,
        /// At least 0.
        inner: f64,
        /// Greater than `inner`.
        outer: f64,
    }
}
wit! {
    /// A straight way.
    record Stroke {
        /// Begins.
        from: Point,
        /// Ends, elsewhere.
        to: Point,
    }
}
wit! {
    /// Nodes and edges.
    record Graph {
        /// At least one.
        nodes: Vec<Node>,
        /// Between them.
        edges: Vec<Edge>,
        /// Whether edges have a direction.
        directed: bool,
        /// `circular`, `layered`, `tree`, `grid`, `spring`; none means what suits it.
        layout: Option<Layout>,
    }
}
wit! {
    /// A node of a graph.
    record Node {
        /// Unique in its graph.
        id: String,
        /// Shown in it.
        label: String,
    }
}
wit! {
    /// An edge of a graph.
    record Edge {
        /// Id of a node.
        from: String,
        /// Id of a node.
        to: String,
        /// Shown beside it; may be empty.
        label: String,
    }
}
wit! {
    /// A bar chart.
    record Chart {
        /// From left to right, at least one.
        bars: Vec<Bar>,
        /// Of the values; may be empty.
        ("value-label") value_label: String,
        /// Shown below; may be empty.
        caption: String,
    }
}
wit! {
    /// One bar.
    record Bar {
        /// Shown below it.
        label: String,
        /// Its height, of either sign.
        value: f64,
    }
}
wit! {
    /// A space in three dimensions, seen by a camera.
    record Space {
        /// Shown when there are any.
        axes: Option<SpaceAxes>,
        /// Drawn in order.
        solids: Vec<Solid>,
        /// Angle of the camera from the vertical, in degrees; none means 65.
        phi: Option<f64>,
        /// Angle of the camera round the vertical, in degrees; none means -45.
        theta: Option<f64>,
        /// Shown below; may be empty.
        caption: String,
    }
}
wit! {
    /// Axes in space.
    record SpaceAxes {
        /// To the right.
        x: Axis,
        /// Away.
        y: Axis,
        /// Up.
        z: Axis,
    }
}
wit! {
    /// Something in space.
    record Solid {
        /// What it is.
        kind: SolidKind,
        /// Shown beside it; may be empty.
        label: String,
        /// How it looks; none means as the theme says.
        style: Option<Style>,
    }
}
wit! {
    /// What something in space is.
    variant SolidKind {
        /// A curve.
        ("curve") Curve(SpaceCurve),
        /// A surface.
        ("surface") Surface(Surface),
        /// A ball.
        ("sphere") Sphere(Sphere),
        /// A cylinder, upright.
        ("cylinder") Cylinder(Upright),
        /// A cone, upright.
        ("cone") Cone(Upright),
        /// A cuboid.
        ("cuboid") Cuboid(Cuboid),
        /// A torus, lying.
        ("torus") Torus(Torus),
        /// An arrow.
        ("arrow") Arrow(SpaceStroke),
    }
}
wit! {
    /// x, y and z as expressions of `t`, and the range of `t`.
    record SpaceCurve {
        /// x of `t`.
        x: Expression,
        /// y of `t`.
        y: Expression,
        /// z of `t`.
        z: Expression,
        /// First `t`.
        from: f64,
        /// Last `t`.
        to: f64,
    }
}
wit! {
    /// x, y and z as expressions of `u` and `v`, and their ranges.
    record Surface {
        /// x of `u` and `v`.
        x: Expression,
        /// y of `u` and `v`.
        y: Expression,
        /// z of `u` and `v`.
        z: Expression,
        /// First `u`.
        ("u-from") u_from: f64,
        /// Last `u`.
        ("u-to") u_to: f64,
        /// First `v`.
        ("v-from") v_from: f64,
        /// Last `v`.
        ("v-to") v_to: f64,
    }
}
wit! {
    /// A ball.
    record Sphere {
        /// Its centre.
        center: Point3,
        /// Greater than 0.
        radius: f64,
    }
}
wit! {
    /// A cylinder or cone, upright.
    record Upright {
        /// Middle of its base.
        base: Point3,
        /// Of the base, greater than 0.
        radius: f64,
        /// Greater than 0.
        height: f64,
    }
}
wit! {
    /// A cuboid.
    record Cuboid {
        /// Its centre.
        center: Point3,
        /// Edges along x, y and z, each greater than 0.
        size: Point3,
    }
}
wit! {
    /// A torus, lying.
    record Torus {
        /// Its centre.
        center: Point3,
        /// From its centre to the middle of the tube.
        major: f64,
        /// Of the tube, less than `major`.
        minor: f64,
    }
}
wit! {
    /// A straight way in space.
    record SpaceStroke {
        /// Begins.
        from: Point3,
        /// Ends, elsewhere.
        to: Point3,
    }
}
wit! {
    /// Text in spans; joined, they are the whole text.
    record RichText {
        /// In reading order.
        spans: Vec<Span>,
    }
}
wit! {
    /// A stretch of text in one style.
    variant Span {
        /// As it stands.
        ("plain") Plain(String),
        /// Bold.
        ("strong") Strong(String),
        /// Italic.
        ("emphasis") Emphasis(String),
        /// Fixed width.
        ("code") Code(String),
        /// Inline formula.
        ("math") Math(Formula),
    }
}
wit! {
    /// A formula in LaTeX, without the dollar signs and with the macros that it needs.
    record Formula {
        /// For the stage.
        latex: String,
    }
}
wit! {
    /// A list.
    record Bullets {
        /// In reading order.
        items: Vec<Bullet>,
    }
}
wit! {
    /// One item of a list.
    record Bullet {
        /// Nesting, 0 at the outside.
        level: u32,
        /// The item's own number in an ordered list; none in a bullet list.
        number: Option<u32>,
        /// What it says.
        text: RichText,
    }
}
wit! {
    /// A displayed formula.
    record Equation {
        /// The formula.
        formula: Formula,
        /// How its parts are read aloud, in the storyboard's language: whoever hears these words can be shown the part.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spoken: Vec<SpokenPart>,
    }
}
wit! {
    /// A part of a formula, and its words.
    record SpokenPart {
        /// The part, as a highlight names it: `fraction 1`, or its author's name for it.
        part: String,
        /// How it is read aloud, as it stands in the words of the whole formula.
        words: String,
    }
}
wit! {
    /// Program text.
    record Code {
        /// As named after the fence, lower case; empty when not named.
        language: String,
        /// Lines joined by `\n`, no trailing newline.
        text: String,
        /// Lines to highlight, from 1, ascending.
        highlighted: Vec<u32>,
    }
}
wit! {
    /// Axes with curves.
    record Axes {
        /// Horizontal.
        x: Axis,
        /// Vertical.
        y: Axis,
        /// Drawn in order.
        curves: Vec<Curve>,
        /// Shown below; may be empty.
        caption: String,
        /// Whether labels stand together in a legend instead of beside their curves.
        legend: bool,
    }
}
wit! {
    /// One axis.
    record Axis {
        /// Left or lower end.
        min: f64,
        /// Right or upper end, greater than `min`.
        max: f64,
        /// Distance of two ticks, greater than 0.
        step: f64,
        /// May be empty.
        label: String,
    }
}
wit! {
    /// One curve.
    record Curve {
        /// Shown beside it; may be empty.
        label: String,
        /// What it follows.
        kind: CurveKind,
        /// A colour's name or `#rrggbb`; none means the next of the theme's.
        colour: Option<String>,
    }
}
wit! {
    /// What a curve follows.
    variant CurveKind {
        /// y as an expression of `x`.
        ("function") Function(Expression),
        /// x and y as expressions of `t`.
        ("parametric") Parametric(Parametric),
        /// Points in order, joined by straight lines.
        ("points") Points(Vec<Point>),
        /// Single points, not joined.
        ("dots") Dots(Vec<Point>),
        /// One arrow, from point to point.
        ("arrow") Arrow(Stroke),
        /// The area between a function and the horizontal axis.
        ("area") Area(Area),
        /// Arrows of a field.
        ("vectors") Vectors(Field),
        /// Lines that follow a field.
        ("streamlines") Streamlines(Field),
    }
}
wit! {
    /// The area between a function and the horizontal axis.
    record Area {
        /// y as an expression of `x`.
        function: Expression,
        /// Left end.
        from: f64,
        /// Right end, greater than `from`.
        to: f64,
    }
}
wit! {
    /// A vector field: both components as expressions of `x` and `y`.
    record Field {
        /// To the right.
        x: Expression,
        /// Up.
        y: Expression,
    }
}
wit! {
    /// x and y as expressions of `t`, and the range of `t`.
    record Parametric {
        /// x of `t`.
        x: Expression,
        /// y of `t`.
        y: Expression,
        /// First `t`.
        from: f64,
        /// Last `t`.
        to: f64,
    }
}
wit! {
    /// A point in the plane's own units.
    #[derive(Copy)]
    record Point {
        /// Horizontal.
        x: f64,
        /// Vertical.
        y: f64,
    }
}
wit! {
    /// An expression tree in postfix order: operands first, then what is applied to them.
    record Expression {
        /// As written.
        source: String,
        /// The tree.
        postfix: Vec<Token>,
    }
}
wit! {
    /// One node of an expression tree.
    variant Token {
        /// A constant.
        ("number") Number(f64),
        /// `x`, `y`, `t`, `u` or `v`, whichever the place allows.
        ("variable") Variable(String),
        /// An operator or function by name; its arity is fixed by the name (see [`arity`]).
        ("apply") Apply(String),
    }
}
wit! {
    /// A labelled box.
    record Placeholder {
        /// What stands in its place.
        label: String,
        /// Why.
        detail: String,
    }
}
wit! {
    /// The document as it arrived.
    record Document {
        /// File name with its extension, which tells the format.
        name: String,
        /// As they arrived.
        bytes: Vec<u8>,
    }
}
wit! {
    /// Why there is no storyboard.
    record Refusal {
        /// Stable: `input.…` or `plan.…`.
        code: String,
        /// For the author.
        message: String,
        /// What the author can do.
        remedy: String,
        /// Where in the document.
        place: Option<Place>,
    }
}

impl Scene {
    /// The same scene wherever it stands in its document: what is drawn does not depend on that.
    #[must_use]
    pub fn without_places(&self) -> Self {
        let mut scene = Self { place: None, ..self.clone() };
        for beat in &mut scene.beats {
            beat.place = None;
            for action in &mut beat.actions {
                match action {
                    Action::Show(element) => element.place = None,
                    Action::Transform(transform) => transform.into.place = None,
                    _ => {}
                }
            }
        }
        scene
    }
}

/// How many operands an operator or function of an expression takes; none for an unknown name.
pub fn arity(name: &str) -> Option<usize> {
    match name {
        "add" | "sub" | "mul" | "div" | "pow" | "min" | "max" => Some(2),
        "neg" | "abs" | "sqrt" | "exp" | "ln" | "log10" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "sinh"
        | "cosh" | "tanh" | "floor" | "ceil" | "sign" => Some(1),
        _ => None,
    }
}
