#![no_main]
#[path = "common.rs"]
mod common;

// LaTeX and expressions, without the lesson around them having to be found first.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let lesson = format!("# F\n\n$${text}$$\n\nSo $ {text} $ it is.\n\n```plot\ny = {}\n```\n", text.replace('\n', " "));
    common::holds("lesson.md", lesson.as_bytes());
});
