#![no_main]
#[path = "common.rs"]
mod common;

// LaTeX and expressions, without the lesson around them having to be found first.
libfuzzer_sys::fuzz_target!(|text: &str| {
    let lesson = format!("# F\n\n$${text}$$\n\nSo $ {text} $ it is.\n\n```plot\ny = {}\n```\n", text.replace('\n', " "));
    common::holds("lesson.md", lesson.as_bytes());
    // What the stage does with it: mathematics, and words.
    for environment in [None, Some("center".to_owned())] {
        let request = chalkreel_native::typeset::Request { tex: text.to_owned(), display: true, environment, ..Default::default() };
        let answer = chalkreel_native::typeset::answered(&request);
        assert!(answer.items.iter().all(|item| item.2.is_finite() && item.3.is_finite() && item.5 < answer.parts.len().max(1)));
    }
});
