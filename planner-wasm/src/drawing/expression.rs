//! Expressions of plots: `2sin(x)^2 - |x|/3` becomes a tree in postfix order, and has a value.
//!
//! A Pratt parser. From loosest to tightest: `+ -`, `* /` and what stands side by side (`2x`, from left to right:
//! `1/2x` is half of x), the sign `-`, `^` (from right to left: `-x^2` is minus the square). A function takes what is
//! in its brackets, or without any the product after it: `sin 2x`; `sin^2(x)` is the square of the sine, and `sin^{-1}(x)`
//! the arc of it.

use crate::storyboard::{Expression, Token};

/// Longer is no expression for a picture; also bounds the stack of every reader after this one.
const LONGEST: usize = 1_000;
const DEEPEST: usize = 50;
/// More is no curve that a person wrote: some functions write what they take twice.
const MOST_TOKENS: usize = 2_000;

/// Why a text is no expression, and at which byte of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParseError {
    pub(crate) why: String,
    pub(crate) at: usize,
}

/// Reads `source`, in which `variables` alone (single letters) may stand for numbers; none for a constant. A beginning
/// such as `lambda s:` names the variables otherwise, in their order.
///
/// # Errors
/// [`ParseError`].
pub(crate) fn parse(source: &str, variables: &[&str]) -> Result<Expression, ParseError> {
    if source.len() > LONGEST {
        return Err(ParseError { why: "it is too long".to_owned(), at: 0 });
    }
    let (start, renamed) = parameters(source);
    let names = if renamed.is_empty() { variables.to_vec() } else { renamed };
    let lexemes = lexemes(source, start, &names)?;
    let mut parser =
        Parser { lexemes, at: 0, depth: 0, bars: 0, names: &names, variables, out: Vec::new(), end: source.len() };
    parser.expression(0)?;
    match parser.lexemes.get(parser.at) {
        None => Ok(Expression { source: source.trim().to_owned(), postfix: parser.out }),
        Some((at, Lexeme::Sign(sign))) => Err(ParseError { why: format!("`{sign}` stands where it can't"), at: *at }),
        Some((at, _)) => Err(ParseError { why: "something is left over".to_owned(), at: *at }),
    }
}

/// Where the expression begins after `lambda x, y:`, and the names before the colon.
fn parameters(source: &str) -> (usize, Vec<&str>) {
    let Some(after) = source.trim_start().strip_prefix("lambda ") else { return (0, Vec::new()) };
    let Some((names, _)) = after.split_once(':') else { return (0, Vec::new()) };
    let start = source.len() - after.len() + names.len() + 1;
    (start, names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect())
}

/// The value of `expression` of one variable where it is `variable`; not a number where it has none.
pub(crate) fn value(expression: &Expression, variable: f64) -> f64 {
    Evaluator::of(expression).at(|_| variable)
}

/// An expression that is worked out again and again.
pub(crate) struct Evaluator<'a> {
    steps: Vec<Work<'a>>,
    stack: Vec<f64>,
}

enum Work<'a> {
    Number(f64),
    Variable(&'a str),
    Unary(fn(f64) -> f64),
    Binary(fn(f64, f64) -> f64),
}

impl<'a> Evaluator<'a> {
    pub(crate) fn of(expression: &'a Expression) -> Self {
        let step = |token: &'a Token| match token {
            Token::Number(number) => Work::Number(*number),
            Token::Variable(name) => Work::Variable(name),
            Token::Apply(name) => match crate::storyboard::arity(name) {
                Some(2) => Work::Binary(binary(name)),
                _ => Work::Unary(unary(name)),
            },
        };
        Self { steps: expression.postfix.iter().map(step).collect(), stack: Vec::new() }
    }

    /// The value where variables are what `of` says; not a number where there is none.
    pub(crate) fn at(&mut self, of: impl Fn(&str) -> f64) -> f64 {
        let stack = &mut self.stack;
        stack.clear();
        for step in &self.steps {
            let result = match step {
                Work::Number(number) => *number,
                Work::Variable(name) => of(name),
                Work::Unary(apply) => apply(stack.pop().unwrap_or(f64::NAN)),
                Work::Binary(apply) => {
                    let right = stack.pop().unwrap_or(f64::NAN);
                    apply(stack.pop().unwrap_or(f64::NAN), right)
                }
            };
            stack.push(result);
        }
        stack.pop().unwrap_or(f64::NAN)
    }
}

/// `libm` and not `std`, whose sines differ from one machine to another.
fn unary(name: &str) -> fn(f64) -> f64 {
    match name {
        "neg" => |x| -x,
        "abs" => f64::abs,
        "sqrt" => libm::sqrt,
        "exp" => libm::exp,
        "ln" => libm::log,
        "log10" => libm::log10,
        "sin" => libm::sin,
        "cos" => libm::cos,
        "tan" => libm::tan,
        "asin" => libm::asin,
        "acos" => libm::acos,
        "atan" => libm::atan,
        "sinh" => libm::sinh,
        "cosh" => libm::cosh,
        "tanh" => libm::tanh,
        "floor" => libm::floor,
        "ceil" => libm::ceil,
        "sign" => |x| if x == 0.0 { 0.0 } else { x.signum() },
        _ => |_| f64::NAN,
    }
}

fn binary(name: &str) -> fn(f64, f64) -> f64 {
    match name {
        "add" => |left, right| left + right,
        "sub" => |left, right| left - right,
        "mul" => |left, right| left * right,
        "div" => |left, right| left / right,
        "pow" => power,
        "min" => f64::min,
        "max" => f64::max,
        _ => |_, _| f64::NAN,
    }
}

/// Small whole powers, which curves are full of, without the general way.
fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 2.0 { base * base } else { libm::pow(base, exponent) }
}

#[derive(Debug, Clone, PartialEq)]
enum Lexeme<'a> {
    Number(f64),
    Name(&'a str),
    Sign(char),
}

fn lexemes<'a>(source: &'a str, start: usize, names: &[&str]) -> Result<Vec<(usize, Lexeme<'a>)>, ParseError> {
    let mut found = Vec::new();
    let mut at = start;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let length = if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let length = number(rest);
            let value: f64 =
                rest[..length].parse().map_err(|_| ParseError { why: "it is no number".to_owned(), at })?;
            if !value.is_finite() {
                return Err(ParseError { why: "the number is too large".to_owned(), at });
            }
            found.push((at, Lexeme::Number(value)));
            length
        } else if c.is_alphabetic() {
            let length = rest.find(|c: char| !c.is_alphabetic() && !c.is_ascii_digit()).unwrap_or(rest.len());
            let word = &rest[..length];
            if MODULES.contains(&word) && rest[length..].starts_with('.') {
                // `np.sin`: the module says nothing, but that its `log` is the natural one.
                let after = &rest[length + 1..];
                let natural = after.starts_with("log") && !after[3..].starts_with(|c: char| c.is_alphanumeric());
                if natural {
                    found.push((at, Lexeme::Name("ln")));
                }
                length + 1 + if natural { 3 } else { 0 }
            } else {
                split(at, word, names, &mut found);
                length
            }
        } else if c == '\\' {
            // LaTeX: `\sin`, `\cdot`, `\left(`.
            let length = 1 + rest[1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - 1);
            match &rest[1..length] {
                "cdot" | "times" => found.push((at, Lexeme::Sign('*'))),
                "div" => found.push((at, Lexeme::Sign('/'))),
                "left" | "right" | "" | "quad" => {}
                word @ ("frac" | "dfrac" | "tfrac") => found.push((at, Lexeme::Name(&word[word.len() - 4..]))),
                "sqrt" if rest[length..].starts_with('[') => {
                    let Some(cube) = rest[length..].strip_prefix("[3]") else {
                        return Err(ParseError {
                            why: "of roots only the square and the cube one are known".to_owned(),
                            at,
                        });
                    };
                    found.push((at, Lexeme::Name("cbrt")));
                    at = source.len() - cube.len();
                    continue;
                }
                word => split(at + 1, word, names, &mut found),
            }
            length.max(1 + usize::from(length == 1 && rest[1..].starts_with([',', ';', '!'])))
        } else {
            let sign = match c {
                '−' | '–' => Some('-'),
                '·' | '⋅' | '×' => Some('*'),
                '÷' => Some('/'),
                '²' | '³' => Some(c),
                '+' | '-' | '*' | '/' | '^' | '(' | ')' | '|' | ',' => Some(c),
                '[' | '{' => Some('('),
                ']' | '}' => Some(')'),
                c if c.is_whitespace() => None,
                c => return Err(ParseError { why: format!("`{c}` has no meaning here"), at }),
            };
            if c == '*' && rest.starts_with("**") {
                found.push((at, Lexeme::Sign('^')));
                2
            } else {
                found.extend(sign.map(|sign| (at, Lexeme::Sign(sign))));
                c.len_utf8()
            }
        };
        at += length;
    }
    Ok(found)
}

fn number(rest: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(rest);
    if rest[length..].starts_with('.') && !rest[length..].starts_with("..") {
        length += 1 + digits(&rest[length + 1..]);
    }
    // `2e3` is a number, `2e` and `2e^x` are twice e.
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let power = digits(&exponent[sign..]);
        if power > 0 {
            length += 1 + sign + power;
        }
    }
    length
}

/// A word is a name, or names side by side: `xsin` is x times the sine.
fn split<'a>(at: usize, word: &'a str, names: &[&str], found: &mut Vec<(usize, Lexeme<'a>)>) {
    if names.contains(&word) {
        return found.push((at, Lexeme::Name(word)));
    }
    let mut start = 0;
    while start < word.len() {
        let rest = &word[start..];
        // Longer names in any case: `PI`, `Sin`.
        let begins = |name: &&&str| {
            let head = rest.get(..name.len());
            head.is_some_and(|head| head == **name || (name.len() > 1 && head.eq_ignore_ascii_case(name)))
        };
        let known = KNOWN.iter().filter(begins).max_by_key(|name| name.len());
        let letter = rest.chars().next().map_or(1, char::len_utf8);
        if let Some(digits) =
            Some(number(rest)).filter(|length| *length > 0 && rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            found.push((at + start, Lexeme::Number(rest[..digits].parse().unwrap_or(f64::NAN))));
            start += digits;
            continue;
        }
        let longer = known.is_some_and(|name| name.len() > letter);
        match known {
            _ if !longer && names.contains(&&rest[..letter]) => found.push((at + start, Lexeme::Name(&rest[..letter]))),
            Some(name) => {
                found.push((at + start, Lexeme::Name(name)));
                start += name.len();
                continue;
            }
            None => {
                found.push((at + start, Lexeme::Name(rest)));
                return;
            }
        }
        start += letter;
    }
}

/// Names with a meaning; longer ones win.
const KNOWN: &[&str] = &[
    "pi", "π", "tau", "e", "sqrt", "cbrt", "exp", "ln", "log", "log10", "log2", "sin", "cos", "tan", "cot", "sec",
    "csc", "asin", "acos", "atan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "abs", "floor", "ceil",
    "sign", "sgn", "min", "max", "pow", "power", "square",
];

/// Modules of Python (and `Math` of JavaScript) whose functions have the names of these.
const MODULES: &[&str] = &["np", "numpy", "math", "cmath", "sp", "sympy", "Math"];

struct Parser<'a> {
    lexemes: Vec<(usize, Lexeme<'a>)>,
    at: usize,
    depth: usize,
    /// How many `|` are open.
    bars: usize,
    /// The variables as the source names them.
    names: &'a [&'a str],
    /// The variables as the tree names them.
    variables: &'a [&'a str],
    out: Vec<Token>,
    end: usize,
}

/// How tightly products bind.
const PRODUCT: u8 = 2;
/// How tightly a sign binds.
const SIGNED: u8 = 3;
/// How tightly a power binds.
const POWER: u8 = 4;

impl Parser<'_> {
    fn sign(&self) -> Option<char> {
        match self.lexemes.get(self.at) {
            Some((_, Lexeme::Sign(sign))) => Some(*sign),
            _ => None,
        }
    }

    fn place(&self) -> usize {
        self.lexemes.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn wrong<T>(&self, why: &str) -> Result<T, ParseError> {
        Err(ParseError { why: why.to_owned(), at: self.place() })
    }

    fn apply(&mut self, name: &str) {
        self.out.push(Token::Apply(name.to_owned()));
    }

    /// Reads operands joined by operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<(), ParseError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.wrong("it is nested too deep");
        }
        if self.out.len() > MOST_TOKENS {
            return self.wrong("it is too long");
        }
        self.operand()?;
        loop {
            let (binds, name) = match self.sign() {
                Some('+') => (1, "add"),
                Some('-') => (1, "sub"),
                Some('*') => (PRODUCT, "mul"),
                Some('/') => (PRODUCT, "div"),
                Some('^') => (POWER, "pow"),
                Some(square @ ('²' | '³')) => {
                    self.at += 1;
                    self.out.push(Token::Number(if square == '²' { 2.0 } else { 3.0 }));
                    self.apply("pow");
                    continue;
                }
                // Two operands side by side are multiplied.
                Some('(') => (PRODUCT, ""),
                Some('|') if self.bars == 0 => (PRODUCT, ""),
                Some(_) => break,
                None if self.at < self.lexemes.len() => (PRODUCT, ""),
                None => break,
            };
            if binds < least {
                break;
            }
            if name.is_empty() {
                self.expression(PRODUCT + 1)?;
                self.apply("mul");
            } else {
                self.at += 1;
                // A power binds to the right, the others to the left.
                self.expression(if name == "pow" { SIGNED } else { binds + 1 })?;
                self.apply(name);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn operand(&mut self) -> Result<(), ParseError> {
        match self.lexemes.get(self.at).cloned() {
            Some((_, Lexeme::Number(number))) if !number.is_finite() => return self.wrong("the number is too large"),
            Some((_, Lexeme::Number(number))) => {
                self.at += 1;
                self.out.push(Token::Number(number));
            }
            Some((_, Lexeme::Name(name))) => self.name(name)?,
            Some((_, Lexeme::Sign('-'))) => {
                self.at += 1;
                self.expression(SIGNED)?;
                self.apply("neg");
            }
            Some((_, Lexeme::Sign('+'))) => {
                self.at += 1;
                self.expression(SIGNED)?;
            }
            Some((_, Lexeme::Sign('('))) => self.brackets()?,
            Some((_, Lexeme::Sign('|'))) => {
                self.at += 1;
                self.bars += 1;
                self.expression(0)?;
                self.bars -= 1;
                if self.sign() != Some('|') {
                    return self.wrong("a `|` is never closed");
                }
                self.at += 1;
                self.apply("abs");
            }
            Some((_, Lexeme::Sign(sign))) => return self.wrong(&format!("a number is missing before `{sign}`")),
            None => return self.wrong("something is missing at its end"),
        }
        Ok(())
    }

    fn brackets(&mut self) -> Result<(), ParseError> {
        self.at += 1;
        let bars = std::mem::take(&mut self.bars);
        self.expression(0)?;
        self.bars = bars;
        if self.sign() != Some(')') {
            return self.wrong("a bracket is never closed");
        }
        self.at += 1;
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), ParseError> {
        if let Some(variable) = self.names.iter().position(|known| *known == name) {
            let Some(variable) = self.variables.get(variable) else {
                return self.wrong(&format!("`{name}` is one variable too many"));
            };
            self.at += 1;
            self.out.push(Token::Variable((*variable).to_owned()));
            return Ok(());
        }
        let constant = match name {
            "pi" | "π" => Some(std::f64::consts::PI),
            "tau" => Some(std::f64::consts::TAU),
            "e" => Some(std::f64::consts::E),
            _ => None,
        };
        if let Some(number) = constant {
            self.at += 1;
            self.out.push(Token::Number(number));
            return Ok(());
        }
        if name == "frac" {
            self.at += 1;
            for _ in 0..2 {
                if self.sign() != Some('(') {
                    return self.wrong("a fraction needs two pairs of braces");
                }
                self.brackets()?;
            }
            self.apply("div");
            return Ok(());
        }
        if !KNOWN.contains(&name) {
            let short: String = name.chars().take(30).collect();
            return self.wrong(&match self.names {
                [] => format!("`{short}` has no meaning here"),
                [variable] => format!("`{short}` has no meaning here; the variable is `{variable}`"),
                several => format!("`{short}` has no meaning here; the variables are `{}`", several.join("`, `")),
            });
        }
        self.at += 1;
        if matches!(name, "min" | "max" | "pow" | "power") {
            return self.smallest(if name == "power" { "pow" } else { name });
        }
        // `sin^2 x`: the power belongs to the value.
        let power = self.power(matches!(name, "sin" | "cos" | "tan"))?;
        if self.sign() == Some('(') {
            self.brackets()?
        } else {
            self.product()?
        }
        match (name, power) {
            ("sin", Some(-1.0)) => self.function("asin"),
            ("cos", Some(-1.0)) => self.function("acos"),
            ("tan", Some(-1.0)) => self.function("atan"),
            (name, Some(power)) => {
                self.function(name);
                self.out.push(Token::Number(power));
                self.apply("pow");
            }
            (name, None) => self.function(name),
        }
        // What a function writes twice counts twice.
        if self.out.len() > MOST_TOKENS { self.wrong("it is too long") } else { Ok(()) }
    }

    /// The power between a function and what it takes: `^2`, `^{2}`, `²`; of negative ones `-1` alone, for a function that has an
    /// inverse.
    fn power(&mut self, inverse: bool) -> Result<Option<f64>, ParseError> {
        match self.sign() {
            Some(square @ ('²' | '³')) => {
                self.at += 1;
                return Ok(Some(if square == '²' { 2.0 } else { 3.0 }));
            }
            Some('^') => self.at += 1,
            _ => return Ok(None),
        }
        let bracketed = self.sign() == Some('(');
        self.at += usize::from(bracketed);
        let negative = self.sign() == Some('-');
        self.at += usize::from(negative);
        let Some((_, Lexeme::Number(power))) = self.lexemes.get(self.at) else {
            return self.wrong("a number is missing after `^`");
        };
        let power = if negative { -power } else { *power };
        if !power.is_finite() || (negative && !(inverse && power == -1.0)) {
            return self.wrong("it is no power of a function; put the function in brackets");
        }
        self.at += 1;
        if bracketed && self.sign() != Some(')') {
            return self.wrong("a bracket is never closed");
        }
        self.at += usize::from(bracketed);
        Ok(Some(power))
    }

    /// What a function without brackets takes: numbers and letters side by side, up to a sign or another function.
    fn product(&mut self) -> Result<(), ParseError> {
        self.expression(SIGNED)?;
        while let Some((_, Lexeme::Name(name))) = self.lexemes.get(self.at) {
            if !matches!(*name, "pi" | "π" | "e") && !self.names.contains(name) {
                break;
            }
            self.expression(SIGNED)?;
            self.apply("mul");
        }
        Ok(())
    }

    fn smallest(&mut self, name: &str) -> Result<(), ParseError> {
        if self.sign() != Some('(') {
            return self.wrong(&format!("`{name}` needs brackets with two numbers"));
        }
        self.at += 1;
        let bars = std::mem::take(&mut self.bars);
        self.expression(0)?;
        let mut operands = 1;
        while self.sign() == Some(',') {
            self.at += 1;
            self.expression(0)?;
            self.apply(name);
            operands += 1;
        }
        self.bars = bars;
        if self.sign() != Some(')') || operands < 2 {
            return self.wrong(&format!("`{name}` needs brackets with two numbers"));
        }
        self.at += 1;
        Ok(())
    }

    /// Applies a function to what was read last; those that the stage doesn't have are made of others.
    fn function(&mut self, name: &str) {
        let number = |parser: &mut Self, number: f64, apply: &str| {
            parser.out.push(Token::Number(number));
            parser.apply(apply);
        };
        match name {
            "log" | "log10" => self.apply("log10"),
            "log2" => {
                self.apply("ln");
                number(self, std::f64::consts::LN_2, "div");
            }
            "cbrt" => {
                // The real cube root, of negative numbers too: sign(x)·|x|^(1/3), with x written twice.
                let operand = self.last_operand();
                self.apply("abs");
                number(self, 1.0 / 3.0, "pow");
                self.out.extend(operand);
                self.apply("sign");
                self.apply("mul");
            }
            "square" => number(self, 2.0, "pow"),
            "cot" | "sec" | "csc" => {
                self.apply(match name {
                    "cot" => "tan",
                    "sec" => "cos",
                    _ => "sin",
                });
                number(self, -1.0, "pow");
            }
            "arcsin" => self.apply("asin"),
            "arccos" => self.apply("acos"),
            "arctan" => self.apply("atan"),
            "sgn" => self.apply("sign"),
            name => self.apply(name),
        }
    }

    /// The tokens of the operand that was read last.
    fn last_operand(&self) -> Vec<Token> {
        let mut needed = 1;
        for (index, token) in self.out.iter().enumerate().rev() {
            let takes = match token {
                Token::Apply(name) => crate::storyboard::arity(name).unwrap_or(1),
                _ => 0,
            };
            needed = needed - 1 + takes;
            if needed == 0 {
                return self.out[index..].to_vec();
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(source: &str, x: f64) -> f64 {
        value(&parse(source, &["x"]).unwrap_or_else(|error| panic!("{source}: {error:?}")), x)
    }

    #[test]
    fn precedence_is_that_of_mathematics() {
        for (source, expected) in [
            ("1+2*3", 7.0),
            ("2^3^2", 512.0),
            ("-x^2", -4.0),
            ("(-x)^2", 4.0),
            ("2^-x", 0.25),
            ("2x", 4.0),
            ("2x^2", 8.0),
            ("1/2x", 1.0),
            ("x(x+1)", 6.0),
            ("(x+1)(x-1)", 3.0),
            ("2|x-5|", 6.0),
            ("|x||x|", 4.0),
            ("|-|x|-1|", 3.0),
            ("x²", 4.0),
            ("3 - -x", 5.0),
            ("x - 1 - 1", 0.0),
            ("12/x/3", 2.0),
            ("max(1, x, -3)", 2.0),
            ("2**3", 8.0),
            ("1e3 + 2e-1", 1000.2),
            ("0.5x", 1.0),
            (".5x", 1.0),
            ("cbrt(-8)", -2.0),
            ("sqrt(x+2)", 2.0),
            ("floor(2.7) + ceil(2.2) + sgn(-3)", 4.0),
            ("log(100)", 2.0),
            ("x*-1", -2.0),
        ] {
            assert!((at(source, 2.0) - expected).abs() < 1e-12, "{source} is {}", at(source, 2.0));
        }
    }

    #[test]
    fn functions_take_brackets_or_the_product_after_them() {
        let pi = std::f64::consts::PI;
        for (source, x, expected) in [
            ("2sin(x)", pi / 2.0, 2.0),
            ("sin 2x", pi / 4.0, 1.0),
            ("2 sin x cos x", pi / 4.0, 1.0),
            ("sin x / 2", pi / 2.0, 0.5),
            ("sin -x", pi / 2.0, -1.0),
            ("sin(x)^2 + cos^2(x)", 0.7, 1.0),
            ("xsin(x)", pi / 2.0, pi / 2.0),
            ("sin(pi x)", 0.5, 1.0),
            ("2pi", 0.0, 2.0 * pi),
            ("e^x", 1.0, std::f64::consts::E),
            ("exp(-x^2)", 0.0, 1.0),
            ("ln(e^x)", 3.0, 3.0),
            (r"\sin^{2}(x)", pi / 4.0, 0.5),
            (r"\sin^2 x", pi / 4.0, 0.5),
            (r"\cos^{3}\left(x\right)", pi / 3.0, 0.125),
            (r"2\sin^{2}x\cos^{2}x", pi / 4.0, 0.5),
            ("sin²(x) + cos² x", 0.7, 1.0),
            (r"\sin^{-1}(x)", 1.0, pi / 2.0),
            ("tan^-1(x)", 1.0, pi / 4.0),
            (r"\ln^{2}(x)", std::f64::consts::E, 1.0),
            (r"\sqrt[3]{x}", 8.0, 2.0),
        ] {
            assert!((at(source, x) - expected).abs() < 1e-12, "{source} is {}", at(source, x));
        }
    }

    #[test]
    fn the_ways_of_python_and_latex_are_read_and_never_run() {
        for (source, expected) in [
            ("np.sin(x)**2 + math.cos(x)**2", 1.0),
            ("lambda x: x**2", 4.0),
            ("lambda s: 3*s", 6.0),
            ("np.log(np.e)", 1.0),
            ("np.log10(100)", 2.0),
            ("np.exp(-x + 2) * np.pi / PI", 1.0),
            ("np.power(x, 3)", 8.0),
            ("np.square(x)", 4.0),
            ("x^2/10", 0.4),
            (r"\frac{x^2}{4} + \sin\left(0\right)", 1.0),
            (r"2 \cdot x", 4.0),
            ("sqrt(abs(-x*2))", 2.0),
        ] {
            assert!((at(source, 2.0) - expected).abs() < 1e-12, "{source} is {}", at(source, 2.0));
        }
        for source in
            ["__import__('os').system('id')", "x.real", "open('/etc/passwd')", "[y for y in x]", "x if x else 1"]
        {
            assert!(parse(source, &["x"]).is_err(), "{source}");
        }
    }

    #[test]
    fn several_variables_have_their_names() {
        let field = parse("2xy - lambda", &["x", "y"]);
        assert!(field.is_err(), "{field:?}");
        let field = parse("2xy + sin(y)", &["x", "y"]).unwrap();
        let at = Evaluator::of(&field).at(|name| if name == "x" { 3.0 } else { 0.5 });
        assert!((at - 3.0 - 0.5_f64.sin()).abs() < 1e-12, "{at}");
        let swapped = parse("lambda a, b: a - b", &["u", "v"]).unwrap();
        assert_eq!(Evaluator::of(&swapped).at(|name| if name == "u" { 5.0 } else { 2.0 }), 3.0);
    }

    #[test]
    fn mistakes_have_a_place() {
        for (source, place) in [
            ("x +", 3),
            ("2 $ 3", 2),
            ("(x", 2),
            ("x)", 1),
            ("foo(x)", 0),
            ("x + y", 4),
            ("", 0),
            ("|x", 2),
            ("1..2", 1),
            ("sin^{2(x)", 6),
            ("sin^x", 4),
            ("ln^{-1}(x)", 5),
            ("x1e999", 1),
            (r"\sqrt[4]{x}", 0),
        ] {
            match parse(source, &["x"]) {
                Err(error) => assert_eq!(error.at, place, "{source}: {}", error.why),
                Ok(read) => panic!("{source} became {read:?}"),
            }
        }
        assert!(parse("x", &[]).is_err(), "a constant has no variable");
    }

    #[test]
    fn depth_and_length_are_bounded() {
        for deep in ["(".repeat(900), "-".repeat(900), "|".repeat(900), "sin ".repeat(240), "2^".repeat(400)] {
            assert!(parse(&deep, &["x"]).is_err(), "{deep:.8}");
        }
        assert!(parse(&"x".repeat(2_000), &["x"]).is_err());
        // Each of them writes what it takes twice.
        assert!(parse(&format!("{}x{}", "cbrt(".repeat(40), ")".repeat(40)), &["x"]).is_err());
        assert!(parse("cbrt(cbrt(x))", &["x"]).is_ok());
        assert!(parse(&"+x".repeat(400), &["x"]).is_ok(), "long sums are not deep");
    }
}
