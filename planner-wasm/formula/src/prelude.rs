//! Macros that people use and RaTeX does not have, from the packages that lecturers load.

/// Name and body.
pub(crate) const MACROS: &[(&str, &str)] = &[
    // TeX has three signs here, and programs for Manim count them.
    ("\\ldots", "\\mathinner{\\ldotp\\ldotp\\ldotp}"),
    ("\\cdots", "\\mathinner{\\cdotp\\cdotp\\cdotp}"),
];
