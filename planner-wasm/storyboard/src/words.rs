//! The words that a field of the storyboard may hold: the check compares with them, and the JSON Schema lists them.

pub(crate) const THEMES: &[&str] = &["dark", "light"];
pub(crate) const QUALITIES: &[&str] = &["draft", "standard", "high", "4k"];
pub(crate) const ON_FAILURE: &[&str] = &["still", "fail"];
pub(crate) const CONSISTENCIES: &[&str] = &["film", "scene", "beat"];
pub(crate) const REGIONS: &[&str] =
    &["center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"];
pub(crate) const EASINGS: &[&str] = &["linear", "ease-in", "ease-out", "smooth", "there-and-back"];
pub(crate) const ENTRANCES: &[&str] = &["write", "create", "fade", "grow", "slide", "none"];
pub(crate) const EXITS: &[&str] = &["fade", "shrink", "slide", "none"];
pub(crate) const LAYOUTS: &[&str] = &["circular", "layered", "tree", "grid", "spring"];
