//! Formulas and texts as Python asks for them.
#![allow(clippy::unwrap_used, reason = "tests")]

use chalkreel_native::fonts::FONTS;
use chalkreel_native::typeset::{Answer, Request, answered};
use ratex_font::FontId;

fn set(tex: &str) -> Answer {
    answered(&Request { tex: tex.to_owned(), display: true, ..Request::default() })
}

/// The letters in the order in which they are drawn; a rule or line is a dash.
fn ink(answer: &Answer) -> String {
    answer.items.iter().map(|item| if item.8.is_some() { '-' } else { char::from_u32(item.1).unwrap() }).collect()
}

#[test]
fn ink_is_in_the_order_of_dvisvgm() {
    for (tex, order) in [
        (r"\frac{a}{b}", "a-b"),
        (r"\sum_{i=1}^n x", "n∑i=1x"),
        (r"\sqrt[3]{x}", "3√-x"),
        (r"\hat{x}", "^x"),
        (r"\overline{x}", "-x"),
        (r"\underline{x}", "x-"),
        (r"x_1^2", "x21"),
        (r"\left( a \right)", "(a)"),
        (r"\boxed{a}", "--a--"),
        (r"\overbrace{a}^n", "n-a"),
        (r"\underbrace{a}_n", "a-n"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "(abcd)"),
        (r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}", "a-b-c-d"),
    ] {
        assert_eq!(ink(&set(tex)), order, "{tex}");
    }
}

#[test]
fn colours_and_names_move_nothing() {
    let places = |tex: &str| set(tex).items.iter().map(|item| (item.2, item.3, item.4)).collect::<Vec<_>>();
    let bare = places("a + b = c, d");
    for coloured in [
        r"a \textcolor{red}{+} b \textcolor{blue}{=} c\textcolor{green}{,} d",
        r"{\color{red} a + b} = c, d",
        r"\special{dvisvgm:raw <g id='unique000'>}a +\special{dvisvgm:raw </g>}\special{dvisvgm:raw <g id='unique001'>} b = c, d\special{dvisvgm:raw </g>}",
        r"\htmlId{left}{a + b} = c, d",
    ] {
        if coloured.starts_with("{\\color") {
            // A group of its own, whose signs keep their room.
            assert_eq!(places(coloured).len(), bare.len(), "{coloured}");
        } else {
            assert_eq!(places(coloured), bare, "{coloured}");
        }
    }
}

#[test]
fn groups_are_told_in_the_order_of_the_ink() {
    let answer = set(
        r"\special{dvisvgm:raw <g id='a'>}\frac{x}{\special{dvisvgm:raw <g id='b'>}y\special{dvisvgm:raw </g>}}\special{dvisvgm:raw </g>}\special{dvisvgm:raw <g id='c'>}\special{dvisvgm:raw </g>}",
    );
    let groups: Vec<_> = answer.items.iter().map(|item| answer.groups[item.6].join(" ")).collect();
    assert_eq!(groups, ["a", "a", "a b"]);
    assert_eq!(answer.opened, ["a", "b", "c"]);
}

#[test]
fn what_is_not_known_is_drawn_as_its_name_and_the_rest_as_it_is() {
    let answer = set(r"x^2 + \nosuch{y} = \frac{1}{2}");
    assert_eq!(ink(&answer), "x2+\\nosuchy=1-2");
    assert_eq!(answer.faults.len(), 1);
    assert_eq!(answer.faults[0].about, r"\nosuch");
}

#[test]
fn no_source_is_beyond_mending_but_what_never_ends() {
    for tex in [
        r"\left( x",
        r"x \right)",
        r"\frac{1}{",
        "a}",
        "x^2^3",
        "x^",
        r"\begin{pmatrix} 1",
        r"\end{foo} x",
        r"\begin{foo} a & b \end{foo}",
        r"\hline x",
        r"a & b \\ c & d",
        r"\text{a_b \alpha}",
        r"\sqrt",
        r"x \over y \over z",
        r"\big x",
        r"\middle| x",
        "50%",
        "# $",
        "x\\",
    ] {
        let answer = set(tex);
        assert_eq!(answer.error, None, "{tex}");
        assert!(!answer.items.is_empty(), "{tex}");
    }
    assert!(set(r"\def\a{\a\a}\a").error.unwrap().contains("never end"));
    assert!(set(&"{".repeat(5_000)).error.is_some_and(|why| why.contains("deep")));
    assert!(set(&"x".repeat(100_000)).error.is_some_and(|why| why.contains("long")));
}

#[test]
fn macros_units_and_packages() {
    for (tex, order) in [
        (r"\newcommand{\R}{\mathbb{R}} \R", "R"),
        (r"\def\v#1{\mathbf{#1}} \v{x}", "x"),
        (r"\newcommand{\f}[2][n]{#1_{#2}} \f{1}\f[m]{2}", "n1m2"),
        (r"\DeclareMathOperator{\rk}{rk} \rk A", "rkA"),
        (r"\let\e\varepsilon \e", "ε"),
        (r"\newenvironment{two}{\begin{matrix}}{\end{matrix}} \begin{two} a \\ b \end{two}", "ab"),
        (r"\SI{12345.6}{\metre\per\second\squared}", "12345.6ms−2"),
        (r"\num{3e8}", "3×108"),
        (r"\dv{f}{x}", "df-dx"),
        (r"\pdv[2]{u}{x}", "∂2u-∂x2"),
        (r"\abs{x}", "∣x∣"),
        (r"\bm{x}\cancel{y}", "x-y"),
        (r"\ce{H2O}", "H2O"),
        (r"\binom{n}{k}", "(nk)"),
    ] {
        let answer = set(tex);
        assert_eq!((ink(&answer), answer.faults.len()), (order.to_owned(), 0), "{tex}");
    }
}

#[test]
fn the_usual_commands_of_packages_are_drawn_whole() {
    let formulas =
        include_str!("../../../../tests/fixtures/formula-commands.txt").lines().filter(|line| !line.starts_with("# "));
    let mut count = 0;
    for tex in formulas {
        let answer = set(tex);
        assert!(answer.error.is_none() && answer.faults.is_empty(), "{tex}: {:?} {:?}", answer.error, answer.faults);
        // Letters of the system's fonts, such as ↤, have no ink here: the library knows no folder of fonts.
        assert!(!answer.items.is_empty() || !answer.missing.is_empty(), "{tex}");
        count += 1;
    }
    assert!(count > 800, "{count}");
}

#[test]
fn arguments_of_packages_are_no_ink() {
    for (tex, order) in [
        (r"\qty\big(x)", "(x)"),
        (r"\eval(x|_0^1", "(x∣10"),
        (r"\mqty(\imat{2})", "(1001)"),
        (r"\mqty(\admat{1,2,3})", "-123-"),
        (r"\mqty(\dmat[0]{1,2&3\\4&5})", "-100023045-"),
        (r"\mqty(\xmat*{a}{1}{2})", "(a1a2)"),
        (r"\bra{a}\ket{b}", "⟨a∣b⟩"),
        (r"\num{3x4}", "3×4"),
        (r"\qty{2}{\uF}", "2μF"),
        (r"\unit{\per\kmol}", "kmol−1"),
        (r"\complexnum{1-2i}", "1−2i"),
        (r"\underbracket[1pt][2pt]{x}_a", "x-a"),
        (r"\vdotswithin{=}", "⋮-"),
        (r"\cfrac[l]{1}{2}", "1-2"),
        (r"\begin{pmatrix}1&2\\3&\end{pmatrix}", "(123)"),
        (r"\begin{array}{cc}1&2\\ 3 & \end{array}", "123"),
        (r"a &= b \\ c &", "a=bc"),
        (r"\cases{a&b\cr c&}", "{abc"),
        (r"\begin{aligned}[t]a&=b\end{aligned}", "a=b"),
        (r"\begin{bmatrix}[c|c]1&2\end{bmatrix}", "[1-2]"),
        (r"\begin{bmatrix}[c]1\end{bmatrix}", "[1]"),
        (r"\begin{dcases*}a&if $b$\end{dcases*}", "{aifb"),
        (r"\begin{psmallmatrix*}[r]a&b\end{psmallmatrix*}", "(ab)"),
        (r"\DeclarePairedDelimiter{\br}{\langle}{\rangle}\br*{x}\br[\big]{y}\br{z}", "⟨x⟩⟨y⟩⟨z⟩"),
        (r"\left\llbracket x\right\rrbracket", "[[x]]"),
        (r"x \eqno(7)", "x(7)"),
        (r"\textcolor{.}{x}", "x"),
        (r"\ding{51}\unicode{x41}", "✓A"),
    ] {
        assert_eq!(ink(&set(tex)), order, "{tex}");
    }
}

#[test]
fn every_font_has_a_capital_or_a_bracket() {
    let drawn = FONTS[..19]
        .iter()
        .filter(|font| "AR(√".chars().any(|c| chalkreel_native::fonts::outline(**font, c as u32).is_some()));
    assert_eq!(drawn.count(), 19);
}

#[test]
fn texts_are_broken_into_lines_as_wide_as_a_page() {
    let text = "The horse does not eat cucumber salad. ".repeat(8);
    let request = |environment: &str| Request {
        tex: text.clone(),
        environment: Some(environment.to_owned()),
        ..Request::default()
    };
    let wide = answered(&request("center"));
    assert!(wide.width <= 34.5 && wide.depth > 1.2, "{} x {}", wide.width, wide.depth);
    let narrow = answered(&request("minipage}{5cm"));
    assert!(narrow.width < 14.3 && narrow.depth > wide.depth);
    assert_eq!(wide.items.len(), narrow.items.len());
    // As latex and Manim set it: 0.3512 high and 1.0425 wide at font size 48.
    let what =
        answered(&Request { tex: "what".to_owned(), environment: Some("center".to_owned()), ..Request::default() });
    let manim = 9.962_64 * 48.0 / 960.0;
    assert!((what.width * manim - 1.0425).abs() < 0.05, "{}", what.width * manim);
}

fn words(tex: &str) -> Answer {
    let environment = Some("center".to_owned());
    answered(&Request { tex: tex.to_owned(), environment, strict: true, ..Request::default() })
}

#[test]
fn a_list_stands_at_the_left_of_a_centred_text() {
    let list = words(r"\begin{enumerate}\item a \item longer words \item c\end{enumerate} below");
    let first = |letter: char| list.items.iter().find(|item| item.1 == u32::from(letter)).unwrap().2;
    assert!((first('a') - first('l')).abs() < 0.01 && (first('a') - first('c')).abs() < 0.01);
    assert!(first('a') > first('1') && first('a') < first('1') + 2.0, "a number stands beside its words");
    assert!(first('b') > first('a') + 5.0, "what follows is centred again");
}

#[test]
fn letters_after_a_script_are_not_part_of_it() {
    for tex in [r"H\textsubscript{2}O", r"$x_{\text{a}}$O", r"\textsuperscript{2}O"] {
        let answer = words(tex);
        let last = answer.items.last().unwrap();
        assert_eq!((last.1, last.4), (u32::from('O'), 1.0), "{tex}");
    }
}

#[test]
fn words_have_the_kerns_and_spaces_of_computer_modern() {
    // By cmr10.tfm: A 0.75, V 0.75, 0.111 less between them; f and i make a ligature of 0.5556.
    for (tex, wide) in [("AVA", 2.25 - 2.0 * 0.1111), ("fi", 0.5556), (r"\textbf{fi}", 0.6389), ("mm", 1.6667)] {
        assert!((words(tex).width - wide).abs() < 0.002, "{tex}: {}", words(tex).width);
    }
    let strict =
        |tex: &str| answered(&Request { tex: tex.to_owned(), display: true, strict: true, ..Request::default() }).width;
    assert!((strict(r"\text{a b}") - strict(r"\text{ab}") - 1.0 / 3.0).abs() < 0.001);
}

#[test]
fn commands_of_text_mode() {
    for (tex, order) in [
        (r"\verb|a_b\c|d", "a_b\\cd"),
        (r"\textbullet\ a", "∙a"),
        (r"{\sc Ab}c", "ABc"),
        (r"\underline{ab}c", "ab-c"),
        (r"\fbox{a}", "--a--"),
        (r"a\dots", "a..."),
    ] {
        assert_eq!(ink(&words(tex)), order, "{tex}");
    }
}

#[test]
fn a_high_root_has_a_sign_as_high() {
    let rows = |count: usize| {
        let cells = vec!["1"; count].join(r"\\");
        set(&format!(r"\sqrt{{\begin{{matrix}}{cells}\end{{matrix}}}}"))
    };
    assert_eq!(ink(&rows(1)), "√-1");
    let high = rows(4);
    let signs: Vec<_> = high.items.iter().filter(|item| item.1 > 0xE000 - 1 || item.1 == 0x23B7).collect();
    assert!(signs.len() >= 4 && high.items.len() == signs.len() + 5, "{}", ink(&high));
    let (last, lowest) = (signs.last().unwrap(), high.items.last().unwrap());
    assert!(last.3 - 0.885 < lowest.3, "the sign reaches below the last row");
}

#[test]
fn ink_is_of_parts_that_are_told() {
    for tex in [r"\frac{a}{b}", r"\2/", r"x $\frac{a}{b}$ y", r"\[ \frac{a}{b} \]"] {
        for answer in [set(tex), words(tex)] {
            assert!(answer.items.iter().all(|item| item.5 < answer.parts.len().max(1)), "{tex}: {answer:?}");
        }
    }
}

fn strictly(tex: &str) -> Answer {
    answered(&Request { tex: tex.to_owned(), display: true, strict: true, ..Request::default() })
}

fn text(tex: &str) -> Answer {
    answered(&Request {
        tex: tex.to_owned(),
        strict: true,
        environment: Some("center".to_owned()),
        ..Request::default()
    })
}

/// How high the ink of delimiters is that RaTeX draws as curves, and the fonts of those that are letters.
fn delimiters(tex: &str) -> Vec<String> {
    let answer = strictly(tex);
    let ends = [&answer.items[0], &answer.items[answer.items.len() - 1]];
    let told = ends.map(|item| match &item.8 {
        Some(points) => {
            let heights: Vec<f64> = points.iter().skip(1).step_by(2).copied().collect();
            let high = heights.iter().copied().fold(f64::MIN, f64::max);
            format!("{:.1}", high - heights.iter().copied().fold(f64::MAX, f64::min))
        }
        None => FONTS[usize::try_from(item.0).unwrap()].as_str().to_owned(),
    });
    told.to_vec()
}

#[test]
fn delimiters_have_the_heights_of_tex() {
    for (tex, heights) in [
        (r"\left( \sum_{i=1}^n a_i \right)", ["Size4-Regular"; 2]),
        (r"\left( \sum_j w_j \right)", ["3.6"; 2]),
        (r"\left( \lim_{x\to 0} f \right)", ["Size2-Regular"; 2]),
        (r"\left( \frac{QK^T}{\sqrt{d_k}} \right)", ["Size3-Regular"; 2]),
        (r"\begin{pmatrix} x \\ y \\ z \end{pmatrix}", ["3.6"; 2]),
        (r"\left\| \sum_n a_n \right\|", ["3.0"; 2]),
        (r"\big| x \Bigg|", ["1.2", "3.0"]),
        (r"\dbinom{n}{k}", ["Size3-Regular"; 2]),
    ] {
        assert_eq!(delimiters(tex), heights, "{tex}");
    }
}

#[test]
fn scripts_at_accents_are_those_of_the_letter() {
    let places = |tex: &str| strictly(tex).items.iter().map(|item| (item.2, item.3)).collect::<Vec<_>>();
    assert_eq!(places(r"\bar x^2")[2].1, places("x^2")[1].1);
    assert_eq!(places(r"\hat{\theta}^{(t)}")[2..], places(r"\theta^{(t)}")[1..]);
    assert_eq!(ink(&strictly(r"\dot{x}_1^2")), "˙x21");
    // Over several letters an accent is part of what has the script.
    assert!(places(r"\widehat{xy}^2")[3].1 > places("y^2")[1].1);
}

#[test]
fn an_operator_of_its_own_has_limits_where_it_is_displayed() {
    let below = |tex: &str, display: bool| {
        let answer = answered(&Request { tex: tex.to_owned(), display, strict: true, ..Request::default() });
        answer.items[1].2 < answer.items[0].2 + 0.5
    };
    assert!(below(r"\mathop{M}_x", true) && !below(r"\mathop{M}_x", false) && !below(r"\mathop{M}\nolimits_x", true));
}

#[test]
fn letters_of_a_word_in_mathematics_stand_as_in_text() {
    for word in ["eff", "fit", "Type"] {
        let places = |tex: &str| strictly(tex).items.iter().map(|item| (item.2 * 1e3).round()).collect::<Vec<_>>();
        let bold = places(&format!(r"\mathbf{{{word}}}"));
        assert!(bold.windows(2).all(|pair| pair[0] < pair[1]));
        let answer = text(word);
        let set: Vec<f64> = answer.items.iter().map(|item| (item.2 * 1e3).round()).collect();
        assert_eq!(places(&format!(r"\mathrm{{{word}}}")), set, "{word}");
    }
}

#[test]
fn columns_break_their_lines() {
    let words = "Words that are set in a column of their own, so that they take three lines of it";
    let lines = |tex: &str| {
        let mut found: Vec<i64> = text(tex).items.iter().map(|item| (item.3 * 10.0).round() as i64).collect();
        found.dedup();
        found.len()
    };
    for column in [
        format!(r"\parbox{{5cm}}{{{words}}}"),
        format!(r"\parbox[t][3cm]{{5cm}}{{{words}}}"),
        format!(r"\begin{{minipage}}[t]{{5cm}}\justifying {words}\end{{minipage}}"),
    ] {
        assert_eq!(lines(&column), 3, "{column}");
        assert_eq!(text(&column).faults, [], "{column}");
    }
    assert_eq!(lines(words), 1);
    // What follows stands beside it, as after a word, and has the width of before.
    let em = 28.452_76 / 10.0;
    for (stand, line) in [("", None), ("[t]", Some(0)), ("[b]", Some(2))] {
        let beside = text(&format!(r"I\parbox{stand}{{5cm}}{{{words}}}I {words}"));
        let (first, last) = (&beside.items[0], beside.items.iter().rposition(|item| item.1 == 73).unwrap());
        let last = &beside.items[last];
        assert_eq!((first.3, last.3), (0.0, 0.0), "{stand}");
        let wide = last.2 - first.2;
        assert!((wide - 5.0 * em - 0.361).abs() < 0.01, "{stand}: {wide}");
        let mut heights: Vec<i64> = beside.items[1..].iter().map(|item| (item.3 * 10.0).round() as i64).collect();
        heights.dedup();
        let expected: Vec<i64> = match line {
            Some(line) => (0..3).map(|at| 12 * (line - at)).collect(),
            // TeX: 17.97 pt above the baseline, 12.97 below.
            None => vec![11, -1, -13],
        };
        assert_eq!(heights[..3], expected[..], "{stand}");
        // The rest of the words is on the next line, at the left.
        assert!(beside.items.last().unwrap().3 < -1.1, "{heights:?}");
    }
}

#[test]
fn a_title_of_a_section_is_a_line_of_its_own() {
    let answer = text(r"\section*{Big} words");
    assert_eq!((ink(&answer), answer.faults.len()), ("Bigwords".to_owned(), 0));
    assert!(answer.items[0].4 > 1.3 && answer.items[0].3 > answer.items[3].3 + 2.0);
    assert_eq!(ink(&text(r"\section{Big}\section{More}")), "1Big2More");
}

#[test]
fn scripts_in_words_are_set_and_told() {
    let answer = text(r"at 180^\circ and H_2O");
    assert_eq!(ink(&answer), "at180∘andH2O");
    assert_eq!(answer.faults.len(), 1);
    assert!(answer.faults[0].why.contains("outside of `$…$`"));
    assert_eq!((text(r"\psi + 1").faults.len(), text(r"\psi_1").faults.len()), (1, 1));
    assert_eq!((text("at $180^\\circ$").faults, text(r"\LaTeX, \S 5").faults), (vec![], vec![]));
}

#[test]
fn room_beside_a_sign_is_added_to_its_own() {
    let width = |tex: &str| strictly(tex).width;
    for (tex, room) in
        [(r"a+\,b", 1.0 / 6.0), (r"a\,+b", 1.0 / 6.0), (r"a\ +\ b", 2.0 / 3.0), (r"a^2\;+\;b", 5.0 / 9.0)]
    {
        let bare = tex.replace(r"\,", "").replace(r"\;", "").replace(r"\ ", "");
        assert!((width(tex) - width(&bare) - room).abs() < 1e-3, "{tex}: {} and {}", width(tex), width(&bare));
    }
    // It makes no operation of a sign before a letter.
    assert!((width(r"=-\,b") - width("=-b") - 1.0 / 6.0).abs() < 1e-3);
    let words = |tex: &str| text(tex).width;
    assert!((words(r"a \ \ b") - words("a b") - 2.0 / 3.0).abs() < 1e-3);
    assert!((words(r"a \quad b") - words("a b") - 1.0).abs() < 1e-3);
}

#[test]
fn signs_in_names_bold_digits_and_cells_beyond_the_last_column_are_what_is_written() {
    assert_eq!(ink(&set(r"\operatorname{Gini\_index}\operatorname*{a\%\&b}")), "Gini_indexa%&b");
    let bold = set(r"\boldsymbol{0}\bm{x1}");
    let fonts: Vec<_> = bold.items.iter().map(|item| FONTS[usize::try_from(item.0).unwrap()]).collect();
    assert_eq!(fonts, [FontId::MainBold, FontId::MathBoldItalic, FontId::MainBold]);
    for table in [
        r"\begin{array}{c}1&2\\3\end{array}",
        r"\left[\begin{array}{l|}1&{2}&\text{a \& b}\\\begin{array}{r}3&4\end{array}\end{array}\right]",
    ] {
        assert_eq!(set(table).faults, [], "{table}");
    }
}
