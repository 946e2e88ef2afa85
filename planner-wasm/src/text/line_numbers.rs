//! Numbers of lines, as a fence or a plan marks them.

/// The lines in `{1,3-4}` or `hl_lines="1 3"`, ascending.
pub(crate) fn marked(info: &str) -> Vec<u32> {
    let braced = info.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(inside, _)| inside);
    let named = || info.split_once("hl_lines=").map(|(_, rest)| rest.trim_matches(['"', '\'', '[', ']']));
    let mut lines: Vec<u32> = Vec::new();
    for part in braced.or_else(named).unwrap_or_default().split([',', ' ', '|']) {
        let mut ends = part.trim().splitn(2, '-').map(|end| end.trim().parse::<u32>());
        match (ends.next(), ends.next()) {
            (Some(Ok(line)), None) => lines.push(line),
            // No program that is shown has more lines.
            (Some(Ok(from)), Some(Ok(to))) => lines.extend(from..=to.min(from.saturating_add(1_000))),
            _ => {}
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::marked;

    #[test]
    fn lines_are_highlighted_as_they_are_named() {
        assert_eq!(marked("python {1,3-4}"), [1, 3, 4]);
        assert_eq!(marked("rust{4-2, 2, x, 1}"), [1, 2]);
        assert_eq!(marked("python hl_lines=\"1 3\""), [1, 3]);
        assert!(marked("python {.numberLines}").is_empty() && marked("python").is_empty());
        assert!(marked("x {1-4294967295}").len() <= 1_001);
    }
}
