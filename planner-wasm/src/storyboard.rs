//! The storyboard: what a planner makes of a document. Declarative, typed, no code.
//!
//! One definition serves three readers: the guest (lowered through `wit/planner.wit`), the host (lifted by
//! wasmtime, feature `host`) and JSON (`storyboard.json`, the stage's requests). Field and case order follow the WIT
//! file, for the host checks the two against each other when it loads a component.

use serde::{Deserialize, Serialize};

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Declares a record or variant once with all its derives: serde always, wasmtime's for the host.
macro_rules! wit {
    ($(#[$doc:meta])* record $name:ident { $($(#[$fdoc:meta])* $(($wit:literal))? $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
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
        theme: String,
        /// `draft`, `standard`, `high` or `4k`; none leaves it to the job.
        quality: Option<String>,
        /// Who speaks, and how.
        voice: VoiceSettings,
        /// In film order.
        scenes: Vec<Scene>,
        /// What could not be honoured.
        warnings: Vec<Warning>,
    }
}
wit! {
    /// Who speaks, and how.
    record VoiceSettings {
        /// Voices in the order to try them; empty means the job's own order.
        chain: Vec<String>,
        /// A voice's own name; none means by language.
        name: Option<String>,
        /// Words per minute; none means the voice's own pace.
        ("words-per-minute") words_per_minute: Option<u32>,
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
    #[derive(Copy, Eq)]
    variant SceneKind {
        /// The film's title, alone on the screen.
        ("title-card") TitleCard,
        /// A heading above a body in which elements are laid out.
        ("lesson") Lesson,
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
        /// Where in the document.
        place: Option<Place>,
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
    }
}
wit! {
    /// Something on the screen.
    record Element {
        /// Unique in its scene.
        id: String,
        /// What it is.
        kind: ElementKind,
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
    /// A formula as written and as Typst mathematics (without the dollar signs).
    record Formula {
        /// As written.
        latex: String,
        /// For the stage.
        typst: String,
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
    }
}
wit! {
    /// Program text.
    record Code {
        /// As named after the fence, lower case; empty when not named.
        language: String,
        /// Lines joined by `\n`, no trailing newline.
        text: String,
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
    /// A point in the axes' own units.
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
        /// `x` or `t`.
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

/// How many operands an operator or function of an expression takes; none for an unknown name.
pub fn arity(name: &str) -> Option<usize> {
    match name {
        "add" | "sub" | "mul" | "div" | "pow" | "min" | "max" => Some(2),
        "neg" | "abs" | "sqrt" | "exp" | "ln" | "log10" | "sin" | "cos" | "tan" | "asin" | "acos" | "atan" | "sinh"
        | "cosh" | "tanh" | "floor" | "ceil" | "sign" => Some(1),
        _ => None,
    }
}
