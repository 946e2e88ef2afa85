//! Quantities and units of `siunitx`.

use crate::cursor::{Cursor, Piece};
use crate::source::Pass;

/// What stands for a command of `siunitx`.
pub(crate) fn command(pass: &mut Pass<'_>, name: &str, cursor: &mut Cursor<'_>) -> Option<String> {
    let mut at = *cursor;
    let written = match name {
        "\\SI" | "\\qty" => {
            at.optional();
            let value = at.group()?;
            at.optional();
            let unit = at.group()?;
            quantity(&number(value), &units(pass, unit))
        }
        "\\num" => {
            at.optional();
            at.group()?.split('x').map(number).collect::<Vec<_>>().join("\\times ")
        }
        "\\si" | "\\unit" => {
            at.optional();
            units(pass, at.group()?)
        }
        "\\ang" => {
            at.optional();
            angle(at.group()?)
        }
        "\\SIrange" | "\\qtyrange" => {
            at.optional();
            let (from, to, unit) = (number(at.group()?), number(at.group()?), units(pass, at.group()?));
            format!("{}\\text{{ to }}{}", quantity(&from, &unit), quantity(&to, &unit))
        }
        "\\numrange" => {
            at.optional();
            format!("{}\\text{{ to }}{}", number(at.group()?), number(at.group()?))
        }
        "\\numlist" => {
            at.optional();
            at.group()?.split(';').map(number).collect::<Vec<_>>().join(",\\ ")
        }
        "\\tablenum" => {
            at.optional();
            number(at.group()?)
        }
        "\\numproduct" | "\\qtyproduct" => {
            at.optional();
            let values: Vec<String> = at.group()?.split('x').map(number).collect();
            if name == "\\numproduct" {
                values.join("\\times ")
            } else {
                let unit = units(pass, at.group()?);
                values.iter().map(|value| quantity(value, &unit)).collect::<Vec<_>>().join("\\times ")
            }
        }
        "\\complexnum" => {
            at.optional();
            complex(at.group()?)
        }
        "\\complexqty" => {
            at.optional();
            let value = complex(at.group()?);
            quantity(&format!("({value})"), &units(pass, at.group()?))
        }
        "\\SIlist" | "\\qtylist" => {
            at.optional();
            let values: Vec<String> = at.group()?.split(';').map(number).collect();
            let unit = units(pass, at.group()?);
            values.iter().map(|value| quantity(value, &unit)).collect::<Vec<_>>().join(",\\ ")
        }
        _ => return None,
    };
    *cursor = at;
    Some(format!("{{{written}}}"))
}

/// A complex number: its unit `i` or `j` is upright.
fn complex(written: &str) -> String {
    let digits = |part: &str| if part.is_empty() { String::new() } else { grouped(part) };
    let bare: String = written.chars().filter(|letter| !letter.is_whitespace()).collect();
    let Some(real) = bare.strip_suffix(['i', 'j']) else { return number(&bare) };
    let unit = &bare[real.len()..];
    let split = real.rfind(['+', '-']).unwrap_or(0);
    let (first, second) = real.split_at(split);
    let sign = &second[..usize::from(second.starts_with(['+', '-']))];
    format!("{}{sign}{}\\mathrm{{{unit}}}", digits(first), digits(&second[sign.len()..]))
}

fn quantity(number: &str, unit: &str) -> String {
    // Signs of an angle and the like stand close to their number.
    let space = if unit.starts_with("{^") || unit.is_empty() || unit == "\\%" { "" } else { "\\," };
    format!("{number}{space}{unit}")
}

/// A number: digits in groups of three, `e` as a power of ten, an uncertainty in its brackets.
fn number(written: &str) -> String {
    let written: String = written.chars().filter(|letter| !letter.is_whitespace()).collect();
    if written.contains('\\') && !written.contains("\\pm") {
        return written;
    }
    let (mantissa, exponent) = match written.split_once(['e', 'E', 'd', 'D']) {
        Some((mantissa, exponent)) => (mantissa.to_owned(), Some(exponent.to_owned())),
        None => (written, None),
    };
    let mut out = mantissa
        .split("\\pm")
        .map(|part| part.split("+-").map(grouped).collect::<Vec<_>>().join("\\pm "))
        .collect::<Vec<_>>()
        .join("\\pm ");
    if let Some(exponent) = exponent {
        let power = format!("10^{{{}}}", exponent.trim_start_matches('+'));
        out = if out.is_empty() || out == "1" && mantissa.is_empty() { power } else { format!("{out}\\times {power}") };
    }
    out
}

/// Digits in groups of three, when there are five or more on one side of the point.
fn grouped(written: &str) -> String {
    let written = written.replace(',', ".");
    let (sign, rest) = match written.strip_prefix(['-', '+']) {
        Some(rest) => (&written[..1], rest),
        None => ("", &*written),
    };
    let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let spaced = |digits: &str, from_left: bool| {
        if digits.len() < 5 {
            return digits.to_owned();
        }
        let first = if from_left { 3 } else { (digits.len() - 1) % 3 + 1 };
        let mut out = digits[..first.min(digits.len())].to_owned();
        for group in digits.as_bytes()[first.min(digits.len())..].chunks(3) {
            out.push_str("\\,");
            out.extend(group.iter().map(|digit| char::from(*digit)));
        }
        out
    };
    let mut out = format!("{sign}{}", spaced(whole, false));
    if let Some(part) = part {
        out.push('.');
        out.push_str(&spaced(part, true));
    }
    out.push_str(after);
    out
}

fn angle(written: &str) -> String {
    let signs = ["{^\\circ}", "'", "''"];
    // `-;;1` has its sign where its degrees would be.
    let (sign, written) = match written.trim().strip_prefix(['-', '+']) {
        Some(rest) => (&written.trim()[..1], rest),
        None => ("", written),
    };
    let parts = written.split(';').zip(signs).filter(|(part, _)| !part.trim().is_empty());
    sign.to_owned()
        + &parts.map(|(part, sign)| format!("{}{sign}", grouped(part.trim()))).collect::<Vec<_>>().join("\\,")
}

/// Units: `\meter\per\second\squared`, or as they are written: `m/s^2`, `m.s^{-1}`.
fn units(pass: &mut Pass<'_>, written: &str) -> String {
    let mut cursor = Cursor::new(written);
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut prefix, mut below, mut power, mut struck) = (String::new(), false, None, false);
    let mut plain = String::new();
    while let Some(piece) = cursor.next() {
        let name = match piece {
            Piece::Command(name) => name,
            Piece::Letter('.' | '~') => {
                flush(&mut plain, &mut found, &mut below);
                continue;
            }
            Piece::Letter('/') => {
                flush(&mut plain, &mut found, &mut below);
                below = true;
                continue;
            }
            Piece::Letter(letter) if letter.is_whitespace() => {
                flush(&mut plain, &mut found, &mut below);
                continue;
            }
            Piece::Letter('^') => {
                flush(&mut plain, &mut found, &mut below);
                let exponent = cursor.argument().unwrap_or_default();
                raise(&mut found, exponent);
                continue;
            }
            Piece::Letter(letter) => {
                plain.push(letter);
                continue;
            }
        };
        flush(&mut plain, &mut found, &mut below);
        match name {
            "\\per" => below = true,
            "\\cancel" => struck = true,
            "\\square" => power = Some("2".to_owned()),
            "\\cubic" => power = Some("3".to_owned()),
            "\\raiseto" => power = cursor.argument().map(str::to_owned),
            "\\squared" => raise(&mut found, "2"),
            "\\cubed" => raise(&mut found, "3"),
            "\\tothe" => {
                let exponent = cursor.argument().unwrap_or_default();
                raise(&mut found, exponent);
            }
            "\\of" => {
                if let (Some((unit, _)), Some(of)) = (found.last_mut(), cursor.argument()) {
                    unit.push_str(&format!("\\text{{ {}}}", crate::source::escaped(of)));
                }
            }
            "\\cdot" | "\\," | "\\;" | "\\:" | "\\!" | "\\ " | "\\times" => {}
            name => {
                if let Some((_, sign)) = PREFIXES.iter().find(|(known, _)| *known == &name[1..]) {
                    prefix.push_str(sign);
                    continue;
                }
                let known = UNITS.iter().find(|(known, _)| *known == &name[1..]).map(|(_, sign)| (*sign).to_owned());
                let sign = match known.or_else(|| abbreviated(&name[1..])) {
                    Some(sign) => sign,
                    None if pass.definitions.find(name).is_some() => name.to_owned(),
                    None => {
                        pass.fault(format!("the unit `{name}` is not known"), name);
                        crate::mend::drawn(name)
                    }
                };
                let unit = if sign.starts_with("{^") { sign } else { format!("\\mathrm{{{prefix}{sign}}}") };
                prefix.clear();
                let unit = if std::mem::take(&mut struck) { format!("\\cancel{{{unit}}}") } else { unit };
                found.push((unit, String::new()));
                if let Some(power) = power.take() {
                    raise(&mut found, &power);
                }
                if below {
                    below = false;
                    invert(&mut found);
                }
            }
        }
    }
    flush(&mut plain, &mut found, &mut below);
    found
        .into_iter()
        .map(|(unit, power)| if power.is_empty() { unit } else { format!("{unit}^{{{power}}}") })
        .collect::<Vec<_>>()
        .join("\\,")
}

fn flush(plain: &mut String, found: &mut Vec<(String, String)>, below: &mut bool) {
    if plain.is_empty() {
        return;
    }
    let unit = std::mem::take(plain).replace('%', "\\%").replace('µ', "\\mu ");
    found.push((format!("\\mathrm{{{unit}}}"), String::new()));
    if *below {
        *below = false;
        invert(found);
    }
}

fn raise(found: &mut [(String, String)], power: &str) {
    if let Some((_, known)) = found.last_mut() {
        let minus = known.starts_with('-');
        *known = if minus { format!("-{power}") } else { power.to_owned() };
    }
}

fn invert(found: &mut [(String, String)]) {
    if let Some((_, power)) = found.last_mut() {
        *power = if power.is_empty() { "-1".to_owned() } else { format!("-{power}") };
    }
}

/// Prefixes of the SI.
const PREFIXES: &[(&str, &str)] = &[
    ("yocto", "y"),
    ("zepto", "z"),
    ("atto", "a"),
    ("femto", "f"),
    ("pico", "p"),
    ("nano", "n"),
    ("micro", "\\mu "),
    ("milli", "m"),
    ("centi", "c"),
    ("deci", "d"),
    ("deca", "da"),
    ("deka", "da"),
    ("hecto", "h"),
    ("kilo", "k"),
    ("mega", "M"),
    ("giga", "G"),
    ("tera", "T"),
    ("peta", "P"),
    ("exa", "E"),
    ("zetta", "Z"),
    ("yotta", "Y"),
    ("ronna", "R"),
    ("quetta", "Q"),
    ("ronto", "r"),
    ("quecto", "q"),
    ("kibi", "Ki"),
    ("mebi", "Mi"),
    ("gibi", "Gi"),
    ("tebi", "Ti"),
    ("pebi", "Pi"),
    ("exbi", "Ei"),
];

/// Units of `siunitx`, those with prefixes that it abbreviates among them.
const UNITS: &[(&str, &str)] = &[
    ("ampere", "A"),
    ("candela", "cd"),
    ("kelvin", "K"),
    ("kilogram", "kg"),
    ("gram", "g"),
    ("metre", "m"),
    ("meter", "m"),
    ("mole", "mol"),
    ("mol", "mol"),
    ("second", "s"),
    ("becquerel", "Bq"),
    ("coulomb", "C"),
    ("degreeCelsius", "{}^\\circ C"),
    ("celsius", "{}^\\circ C"),
    ("farad", "F"),
    ("gray", "Gy"),
    ("henry", "H"),
    ("hertz", "Hz"),
    ("joule", "J"),
    ("katal", "kat"),
    ("lumen", "lm"),
    ("lux", "lx"),
    ("newton", "N"),
    ("ohm", "\\Omega "),
    ("pascal", "Pa"),
    ("radian", "rad"),
    ("siemens", "S"),
    ("sievert", "Sv"),
    ("steradian", "sr"),
    ("tesla", "T"),
    ("volt", "V"),
    ("watt", "W"),
    ("weber", "Wb"),
    ("day", "d"),
    ("hour", "h"),
    ("minute", "min"),
    ("year", "yr"),
    ("hectare", "ha"),
    ("litre", "L"),
    ("liter", "L"),
    ("tonne", "t"),
    ("bar", "bar"),
    ("atmosphere", "atm"),
    ("mmHg", "mmHg"),
    ("angstrom", "\\text{Å}"),
    ("bit", "bit"),
    ("byte", "B"),
    ("decibel", "dB"),
    ("neper", "Np"),
    ("dalton", "Da"),
    ("atomicmassunit", "u"),
    ("electronvolt", "eV"),
    ("eV", "eV"),
    ("astronomicalunit", "au"),
    ("parsec", "pc"),
    ("lightyear", "ly"),
    ("percent", "\\%"),
    ("degree", "{^\\circ}"),
    ("arcminute", "{^\\prime}"),
    ("arcsecond", "{^{\\prime\\prime}}"),
    ("molar", "M"),
    ("Molar", "M"),
    ("calorie", "cal"),
    ("clight", "c_0"),
    ("planckbar", "\\hbar "),
    ("electronmass", "m_e"),
    ("elementarycharge", "e"),
    ("hartree", "E_h"),
    ("bohr", "a_0"),
    ("barn", "b"),
    ("knot", "kn"),
    ("nauticalmile", "M"),
    ("bel", "B"),
    ("amu", "u"),
    ("gauss", "G"),
    ("arcmin", "{^\\prime}"),
    ("arcsec", "{^{\\prime\\prime}}"),
    ("inch", "in"),
    ("foot", "ft"),
    ("mile", "mi"),
    ("rpm", "rpm"),
    ("poise", "P"),
    ("kWh", "kWh"),
];

/// Units that `siunitx` abbreviates with their prefixes, such as `\kHz` and `\umol`.
const SHORT: &[&str] = &[
    "g", "m", "s", "mol", "A", "Hz", "N", "Pa", "V", "W", "J", "F", "H", "C", "K", "T", "L", "l", "eV", "ohm", "dB",
    "B", "bar", "cal", "S",
];

/// The sign of a unit by its abbreviated name: `\uF`, `\kohm`.
fn abbreviated(name: &str) -> Option<String> {
    let whole = |name: &str| {
        SHORT.contains(&name).then(|| match name {
            "ohm" => "\\Omega ".to_owned(),
            "l" => "L".to_owned(),
            name => name.to_owned(),
        })
    };
    whole(name).or_else(|| {
        let prefix = name.chars().next().filter(|prefix| "afpnumcdhkMGTP".contains(*prefix))?;
        let sign = if prefix == 'u' { "\\mu ".to_owned() } else { prefix.to_string() };
        Some(sign + &whole(&name[1..])?)
    })
}
