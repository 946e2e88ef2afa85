//! The check of CHALKREEL_LOG. tracing's own parser takes any word for the name of a module, so that a misspelt level such as `inof`
//! would silently log nothing.

use tracing_subscriber::filter::Targets;

use crate::OWN_TARGETS;

/// Levels, alone or after a target's `=`; tracing takes numbers too.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace", "0", "1", "2", "3", "4", "5"];

/// The fault of `directives`, if any.
pub(super) fn fault(directives: &str) -> Option<String> {
    let allowed = "off, error, warn, info, debug or trace, alone or after a target and `=`, with commas between";
    let wrong = |part: &str| Some(format!("CHALKREEL_LOG has `{part}`; it must be {allowed}"));
    for part in directives.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let level = |text: &str| LEVELS.iter().any(|level| text.eq_ignore_ascii_case(level));
        let known = level(part) || OWN_TARGETS.contains(&part) || part.contains("::");
        let well = match part.rsplit_once('=') {
            Some((target, given)) => level(given) && !target.is_empty() && !target.contains('['),
            None => known,
        };
        if !well || part.parse::<Targets>().is_err() {
            return wrong(part);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_levels_are_refused() {
        for well in [
            "info",
            "WARN",
            "off",
            "3",
            "handler=debug",
            "handler",
            "store",
            "handler::job=trace, warn",
            "info,s3s=off,",
        ] {
            assert_eq!(fault(well), None, "{well}");
        }
        for (wrong, part) in [
            ("inof", "inof"),
            ("loud", "loud"),
            ("info,handler=loud", "handler=loud"),
            ("=info", "=info"),
            ("handler=", "handler="),
            ("yes please", "yes please"),
            ("info;debug", "info;debug"),
            ("handler=info=debug=x", "handler=info=debug=x"),
            ("handler::store[job{job_id=1}]=debug", "handler::store[job{job_id=1}]=debug"),
            ("[job]=trace", "[job]=trace"),
        ] {
            let fault = fault(wrong).unwrap_or_else(|| panic!("{wrong} is taken"));
            assert!(fault.contains("CHALKREEL_LOG") && fault.contains(&format!("`{part}`")), "{fault}");
        }
    }
}
