//! Documents that grow: each kind is a text of about so many bytes that asks for the same thing over and over. Whoever reads
//! one in time that grows faster than its length can be stopped by a small one.

/// A kind of document.
pub struct Kind {
    /// What it is.
    pub name: &'static str,
    /// Its file name, which tells its format.
    pub file: &'static str,
    /// A document of about so many bytes.
    pub text: Box<dyn Fn(usize) -> String + Send + Sync>,
}

/// One scene with `part` over and over in one paragraph.
fn paragraph(name: &'static str, part: &'static str) -> Kind {
    within(name, "", part, "")
}

/// `part` over and over between two others.
fn within(name: &'static str, before: &'static str, part: &'static str, after: &'static str) -> Kind {
    lesson(name, move |bytes| format!("{before}{}{after}", part.repeat(bytes / part.len())))
}

fn lesson(name: &'static str, body: impl Fn(usize) -> String + Send + Sync + 'static) -> Kind {
    Kind { name, file: "a.md", text: Box::new(move |bytes| format!("# T\n\n## A\n\nw {}\n", body(bytes))) }
}

/// Parts that differ by their number.
fn numbered(name: &'static str, part: impl Fn(usize) -> String + Send + Sync + 'static) -> Kind {
    lesson(name, move |bytes| (0..bytes / part(bytes / 8).len()).map(&part).collect())
}

/// A lecture plan of one scene; its elements, and the scene's other keys, are what is given.
fn plan(
    name: &'static str,
    before: &'static str,
    part: impl Fn(usize) -> String + Send + Sync + 'static,
    after: &'static str,
) -> Kind {
    let text = move |bytes: usize| {
        let parts: Vec<String> = (0..bytes / (part(bytes / 8).len() + 1)).map(&part).collect();
        format!("{{\"scenes\": [{before}{}{after}]}}", parts.join(","))
    };
    Kind { name, file: "a.json", text: Box::new(text) }
}

fn program(name: &'static str, part: impl Fn(usize) -> String + Send + Sync + 'static) -> Kind {
    let text = move |bytes: usize| {
        let parts: String = (0..bytes / part(bytes / 8).len()).map(&part).collect();
        format!("from manim import *\nclass First(Scene):\n    def construct(self):\n        self.wait()\n{parts}")
    };
    Kind { name, file: "a.py", text: Box::new(text) }
}

/// A formula of about 3,900 bytes, over and over: longer ones are not read.
fn formulas(name: &'static str, before: &'static str, part: &'static str, after: &'static str) -> Kind {
    let formula = move || format!("${before}{}{after}$ and ", part.repeat(3_900 / part.len()));
    lesson(name, move |bytes| formula().repeat(bytes / 3_900 + 1))
}

/// Short formulas that go deep.
fn deep(name: &'static str, open: &'static str, close: &'static str) -> Kind {
    let formula = move || format!("${}x{}$ and ", open.repeat(18), close.repeat(18));
    lesson(name, move |bytes| formula().repeat(bytes / formula().len()))
}

/// A number in letters, as names of macros are.
fn letters(number: usize) -> String {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    let mut out = String::from(letter(number));
    let mut rest = number / 26;
    while rest > 0 {
        out.push(letter(rest));
        rest /= 26;
    }
    out
}

/// A notebook of one cell over and over.
fn notebook(name: &'static str, cell: &'static str) -> Kind {
    let text = move |bytes: usize| {
        format!("{{\"nbformat\": 4, \"cells\": [{}]}}", vec![cell; bytes / (cell.len() + 1) + 1].join(","))
    };
    Kind { name, file: "a.ipynb", text: Box::new(text) }
}

/// As many lines as columns.
fn square(name: &'static str, part: &'static str) -> Kind {
    lesson(name, move |bytes| {
        let side = ((bytes / part.len()) as f64).sqrt() as usize;
        format!("\n\n{}", format!("{}a\n", part.repeat(side)).repeat(side))
    })
}

/// All of them.
pub fn kinds() -> Vec<Kind> {
    let side = |bytes: usize| (bytes as f64).sqrt() as usize;
    vec![
        paragraph("words", "word "),
        paragraph("one word", "a"),
        // Addresses.
        within("one address", "https://a.b/", "c", ""),
        within("an address with folders", "https://a.b/", "c/", ""),
        paragraph("addresses", "https://example.org/a-b?c=d#e "),
        within(
            "long addresses",
            "",
            "https://a.b/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c/c.",
            "",
        ),
        paragraph("letters between strokes", "a/"),
        paragraph("h between strokes", "h/"),
        within("mailboxes", "", "a.b@c.d,", ""),
        within("one mailbox", "", "a.", "@example.org"),
        paragraph("at signs", "a@"),
        paragraph("pointed links", "<https://a.b/c>"),
        paragraph("pointed mailboxes", "<a@b.cd>"),
        // Signs and words.
        paragraph("letters and stops", "a."),
        paragraph("initials", "A. "),
        paragraph("sentences", "It is. "),
        paragraph("abbreviations", "e.g. "),
        paragraph("abbreviations without space", "e.g."),
        paragraph("sums of money", "$5 "),
        paragraph("dollars", "$ "),
        paragraph("numbers", "1,"),
        paragraph("ranges", "3–5 km "),
        paragraph("quotes", "\""),
        paragraph("brackets", "(a)"),
        paragraph("emoji", "👋\u{200d}"),
        paragraph("combining marks", "\u{301}"),
        paragraph("letters with marks", "e\u{301}\u{302}"),
        paragraph("Chinese", "勾股。"),
        paragraph("Greek", "πr²"),
        paragraph("no-break spaces", "\u{a0}"),
        // Entities and escapes.
        paragraph("entities", "&amp;"),
        paragraph("numbered entities", "&#65;"),
        within("one numbered entity", "&#", "6", ";"),
        within("one named entity", "&", "a", ";"),
        paragraph("ampersands", "&a"),
        paragraph("escapes", "\\*"),
        paragraph("commands", "\\alpha "),
        within("an open command", "\\frac{", "a ", ""),
        paragraph("open commands", "\\frac{a "),
        // Links, images and footnotes.
        paragraph("links", "[a](b) "),
        paragraph("open brackets", "["),
        paragraph("closed brackets", "]"),
        paragraph("half links", "[a]("),
        paragraph("half links in brackets", "[a](<b"),
        paragraph("links with open titles", "[a](b \"c "),
        lesson("links in links", |bytes| format!("{}{}", "[a".repeat(bytes / 8), "](b)".repeat(bytes / 8))),
        lesson("images in images", |bytes| format!("{}{}", "![a".repeat(bytes / 8), "](b)".repeat(bytes / 8))),
        paragraph("images", "![a](b.png) "),
        paragraph("named links", "[a][b]"),
        numbered("definitions", |n| format!("\n\n[l{n}]: u\n\n[l{n}]")),
        lesson("one definition", |bytes| format!("\n\n[l]: {}\n\n{}", "u".repeat(bytes / 2), "[l] ".repeat(bytes / 8))),
        numbered("footnotes", |n| format!("a[^{n}]\n\n[^{n}]: b\n\n")),
        numbered("footnotes in a line", |n| format!("[^{n}]")),
        lesson("footnotes in a line, and their words", |bytes| {
            let count = bytes / 20;
            let references: String = (0..count).map(|n| format!("[^n{n}]")).collect();
            let words: String = (0..count).map(|n| format!("[^n{n}]: b\n\n")).collect();
            format!("{references}\n\n{words}")
        }),
        within("one footnote", "", "[^a]", "\n\n[^a]: b\n"),
        paragraph("footnotes in footnotes", "[^a"),
        numbered("unused footnotes", |n| format!("\n\n[^{n}]: b")),
        // Emphasis, code, mathematics and HTML.
        paragraph("emphasis", "*a* "),
        paragraph("open emphasis", "*a **b "),
        paragraph("mixed emphasis", "*a_ "),
        paragraph("stars", "**"),
        paragraph("stars in words", "a**b"),
        paragraph("struck words", "~~a "),
        paragraph("code", "`a` "),
        paragraph("back-ticks", "`"),
        lesson("growing back-ticks", move |bytes| {
            (1..2 * side(bytes / 2)).map(|n| format!("{}a", "`".repeat(n))).collect()
        }),
        paragraph("formulas", "$x^2$ "),
        paragraph("open formulas", "$a "),
        paragraph("closed formulas", "a$ "),
        paragraph("mixed dollars", "$$a$ "),
        paragraph("pairs of dollars", "$$"),
        paragraph("dollars and braces", "{$a}"),
        paragraph("pointed brackets", "<"),
        paragraph("tags", "<a>"),
        paragraph("open tags", "<a "),
        paragraph("open attributes", "<a b=\"c"),
        paragraph("open remarks", "<!--a "),
        paragraph("open instructions", "<?a "),
        paragraph("open declarations", "<!A "),
        paragraph("open data", "<![CDATA["),
        within("blocks of HTML", "\n\n", "<div>\n\n", ""),
        within("one block of HTML", "\n\n<div>\n", "<b>a\n", ""),
        // Blocks.
        within("paragraphs", "\n\n", "a\n\n", ""),
        within("lines", "\n\n", "a\n", ""),
        within("lists", "\n\n", "- a\n", ""),
        within("lists in lists", "\n\n", "- ", "a"),
        within("numbered lists in lists", "\n\n", "1. ", "a"),
        within("quotes in quotes", "\n\n", "> ", "a"),
        square("quotes in quotes, again", ">"),
        square("lists in lists, again", "- "),
        square("indented", " "),
        lesson("lists in lists, then empty lines", |bytes| {
            format!("\n\n{}a\n{}", "- ".repeat(bytes / 4), "\n".repeat(bytes / 2))
        }),
        lesson("quotes in quotes, then lines", |bytes| {
            format!("\n\n{}a\n{}", ">".repeat(bytes / 2), "b\n".repeat(bytes / 4))
        }),
        lesson("growing lists", move |bytes| {
            let lines = side(bytes);
            format!("\n\n{}", (0..lines).map(|n| format!("{}- a\n", "  ".repeat(n))).collect::<String>())
        }),
        within("task lists", "\n\n", "- [x] a\n", ""),
        within("headings", "\n\n", "### a\n\n", ""),
        within("scenes", "\n\n", "## a\n\nb\n\n", ""),
        within("titles", "\n\n", "# a\n\nb\n\n", ""),
        within("one heading", "\n\n## ", "a.b ", "\n\nw\n"),
        within("underlined headings", "\n\n", "a\n===\n\n", ""),
        within("breaks", "\n\n", "---\n\n", ""),
        within("fences", "\n\n", "```\na\n```\n\n", ""),
        within("one fence", "\n\n```py\n", "a = 1\n", "```\n"),
        within("open fences", "\n\n", "~~~a\n", ""),
        within("programs", "\n\n", "```manim\nclass A(Scene):\n    pass\n```\n\n", ""),
        within("one program", "\n\n```manim\n", "class A(Scene):\n    pass\n", "```\n"),
        within("a program of quotes", "\n\n```manim\nclass A(Scene):\n    x = ", "\"\"\"", "\n```\n"),
        within("plots", "\n\n", "```plot\ny = x\n```\n\n", ""),
        within("one plot", "\n\n```plot\n", "y = x\n", "```\n"),
        within("graphs", "\n\n```graph\n", "a -> b -> ", "c\n```\n"),
        within("a graph in a quote", "\n\n```graph\na \"", "-> b ", "\n```\n"),
        within("shapes", "\n\n```shapes\npolygon ", "(0,0) ", "\n```\n"),
        within("a chart", "\n\n```chart\n", "a: 1\n", "```\n"),
        within("formulas of their own", "\n\n", "$$x$$\n\n", ""),
        // Tables.
        within("tables", "\n\n", "|a|b|\n|-|-|\n|c|d|\n\n", ""),
        within("long table", "\n\n|a|b|\n|-|-|\n", "|c|d|\n", ""),
        lesson("wide table", |bytes| {
            let columns = bytes / 6;
            format!("\n\n{}\n{}\n{}\n", "|a".repeat(columns), "|-".repeat(columns), "|b".repeat(columns))
        }),
        lesson("wide table of empty rows", |bytes| {
            let columns = bytes / 8;
            format!("\n\n{}\n{}\n{}", "|a".repeat(columns), "|-".repeat(columns), "|\n".repeat(bytes / 4))
        }),
        within("bars", "\n\n", "|", "\n"),
        // Formulas.
        formulas("sums", "", "x+", "x"),
        formulas("open brackets in formulas", "", "(", ""),
        formulas("bars in formulas", "", "|x", ""),
        formulas("chemistry", "\\ce{", "H2O + ", "O}"),
        formulas("arrows of chemistry", "\\ce{", "->[", "}"),
        formulas("empty chemistry", "", "\\ce{}", ""),
        formulas("open chemistry", "", "\\ce{", ""),
        formulas("open groups", "", "{", ""),
        formulas("matrix", "\\begin{matrix}", "a&b\\\\", "\\end{matrix}"),
        formulas("text", "\\text{", "a ", "}"),
        formulas("remarks", "", "%a\n", ""),
        within("one long formula", "$$", "\\ce{}x", "$$"),
        lesson("brackets in brackets", |bytes| {
            format!("${}x{}$ and ", "(".repeat(300), ")".repeat(300)).repeat(bytes / 600)
        }),
        deep("powers of powers", "x^{", "}"),
        deep("indices of indices", "x_{", "}"),
        deep("overset in overset", "\\overset{a}{", "}"),
        deep("notes of notes", "\\overset{", "}{a}"),
        deep("roots of roots", "\\sqrt[3]{", "}"),
        deep("indices of roots", "\\sqrt[", "]{x}"),
        deep("fractions", "\\frac{1}{", "}"),
        deep("arrows of arrows", "\\xrightarrow{", "}"),
        deep("accents", "\\overline{", "}"),
        deep("fenced", "\\left(", "\\right)"),
        deep("words in words", "\\mathrm{", "}"),
        // Dialects.
        within("tags of a template", "", "{% a %}", ""),
        within("open tags of a template", "", "{% a ", ""),
        numbered("values of a template", |n| format!("{{{{ a{n} }}}} ")),
        within("open values of a template", "", "{{ a ", ""),
        within("programs of a template", "\n\n", "{% highlight py %}\n", ""),
        within("shortcodes", "", "{{< a >}}", ""),
        within("pages of a wiki", "", "[[a|b]] ", ""),
        within("open pages of a wiki", "", "[[a", ""),
        within("pages of a wiki that are embedded", "", "![[a", ""),
        within("citations", "", "[@a; @b] ", ""),
        within("cross-references", "", "@fig-a ", ""),
        within("targets that a template makes", "", "[a]({{b}}/c) ", ""),
        within("open targets that a template makes", "", "]({{", ""),
        within("highlighted words", "", "==a== ", ""),
        within("open highlighted words", "", "==a ", ""),
        within("inserted words", "", "++a ", ""),
        within("indices", "", "a~b ", ""),
        within("powers", "", "a^b ", ""),
        within("names of blocks", "", "^a ", ""),
        lesson("marks before spaces", |bytes| format!("{}{}.", " ^".repeat(bytes / 4), " ".repeat(bytes / 2))),
        within("notes in a line", "", "^[a] ", ""),
        within("tags of a note", "", "#a ", "."),
        within("names of emoji", "", ":a_b: ", ""),
        within("colons", "", ":a", ""),
        within("roles", "", "{ref}`a <b>` ", ""),
        within("open roles", "", "{ref}`", ""),
        within("attributes", "", "{.a #b c=d} ", ""),
        within("open attributes of a span", "", "{.a ", ""),
        within("references", "", "\\eqref{a} ", ""),
        within("open references", "", "\\eqref{", ""),
        numbered("labels", |n| format!("$$x \\label{{l{n}}}$$ and \\ref{{l{n}}} ")),
        within("open labels", "", "\\label{", ""),
        within("values that a program computes", "", "`r a` ", ""),
        within("remarks in a line", "", "%%a%% ", ""),
        within("open remarks in a line", "", "%%a ", ""),
        within("open remarks of lines", "\n\n", "%%a\n", ""),
        within("divisions", "\n\n", ":::note\na\n:::\n", ""),
        within("open divisions", "\n\n", ":::note\n", ""),
        lesson("divisions in divisions", |bytes| {
            format!("\n\n{}a\n{}", ":::a\n".repeat(bytes / 9), ":::\n".repeat(bytes / 9))
        }),
        within("call-outs", "\n\n", "!!! note\n    a\n\n", ""),
        within("open call-outs", "\n\n", "!!! note\n", ""),
        lesson("call-outs in call-outs", |bytes| {
            let heads: String = (0..25).map(|n| format!("{}!!! note\n", "    ".repeat(n))).collect();
            format!("\n\n{heads}{}{}a\n", "\n".repeat(bytes / 2), " ".repeat(120))
        }),
        within("tabs of a page", "\n\n", "=== \"a\"\n    b\n\n", ""),
        within("folded quotes", "\n\n", "> [!a]- b\n", ""),
        within("quotes with titles", "\n\n", "> [!a]- b\n\n", ""),
        square("quotes with titles in quotes", "> [!a] b\n"),
        within("terms", "\n\n", "a\n: b\n\n", ""),
        within("one term", "\n\na\n", ": b\n", ""),
        within("chunks", "\n\n", "```{r}\na\n```\n\n", ""),
        within("directives", "\n\n", "```{note}\na\n```\n\n", ""),
        within("open directives", "\n\n", "```{note}\n", ""),
        within("call-outs of a plug-in", "\n\n", "```ad-note\n", ""),
        within("imports", "\n\n", "import A from 'b'\n", ""),
        Kind {
            name: "slides",
            file: "a.md",
            text: Box::new(|bytes| {
                let heading = "h".repeat(bytes / 2);
                format!("---\nmarp: true\n---\n# {heading}\n{}", "\n---\n\na\n".repeat(bytes / 16))
            }),
        },
        Kind {
            name: "notes of slides",
            file: "a.md",
            text: Box::new(|bytes| format!("---\nmarp: true\n---\n# T\n\nw\n\n{}", "<!-- a -->\n".repeat(bytes / 11))),
        },
        // HTML, by its words.
        within("closing tags", "", "</div>", ""),
        within("closing tags of components", "<x-a b=\"c\">", "</x-a>", ""),
        within("components", "\n\n", "<A b={c}>\n\n", ""),
        within("components by themselves", "\n\n", "<A b={c}/>\n", ""),
        within("tags in braces", "", "<a {", ""),
        lesson("tags in closed braces", |bytes| {
            format!("{}{}", "<a {".repeat(900), "}>".repeat(900)).repeat(bytes / 5_400 + 1)
        }),
        within("addresses of tags", "", "](<", ""),
        within("elements", "", "<b>a</b>", ""),
        lesson("elements in elements", |bytes| {
            let names = ["b", "i", "em", "u", "s", "var", "ins", "del", "mark", "cite"];
            let open: String = names.iter().map(|name| format!("<{name}>")).collect();
            let close: String = names.iter().rev().map(|name| format!("</{name}>")).collect();
            format!("{}a{} ", open.repeat(15), close.repeat(15)).repeat(bytes / 1_300 + 1)
        }),
        within("powers of HTML", "", "a<sup>2</sup> ", ""),
        within("open powers of HTML", "", "a<sup>2 ", ""),
        within("open programs of HTML", "", "<code>a ", ""),
        within("programs of HTML", "\n\n", "<pre>a</pre>\n\n", ""),
        within("frames", "\n\n", "<iframe src=\"a\"></iframe>\n\n", ""),
        within("tables of HTML", "\n\n", "<table><tr><td>a</td><td>b</td></tr></table>\n\n", ""),
        within("open tables of HTML", "\n\n", "<table><tr><td>", ""),
        lesson("a wide table of HTML and narrow rows", |bytes| {
            format!("\n\n<table><tr>{}{}</table>", "<td>a".repeat(bytes / 10), "<tr><td>a".repeat(bytes / 18))
        }),
        within("cells of many columns", "\n\n<table><tr>", "<td colspan=40>a", "</table>"),
        lesson("lists of HTML in lists", |bytes| {
            format!("\n\n{}{}", "<ul>\n".repeat(bytes / 10), "<li>a\n".repeat(bytes / 12))
        }),
        // Definitions.
        numbered("macros", |n| format!("\\newcommand{{\\m{}}}{{a}}\n", letters(n))),
        within("open macros", "", "\\newcommand{\\a}{", ""),
        within("open macros of a fence", "\n\n```math\n", "\\def\\a{", "\n```\n"),
        lesson("open formulas of their own", |bytes| {
            format!("\n\n{}", "$$\n\\begin{align}\na\n\n# b\n\n".repeat(bytes / 25))
        }),
        within("open environments", "", "\\begin{align}", ""),
        within("open brackets with backslashes", "", "\\(", ""),
        within("open square brackets with backslashes", "", "\\[", ""),
        within("two backslashes and a bracket", "", "\\\\(", ""),
        within("dollars with backslashes", "$$", "\\$$", ""),
        within("dollars and back-ticks", "", "$`a ", ""),
        within("formulas of two dollars in a line", "", "$$x$$ ", ""),
        within("paragraphs of an item", "\n\n- a\n\n", "  a\n\n", ""),
        // Notebooks.
        notebook("cells of words", "{\"cell_type\": \"markdown\", \"source\": [\"## A\\n\", \"\\n\", \"a\"]}"),
        notebook(
            "cells of programs",
            "{\"cell_type\": \"code\", \"source\": \"a\", \"outputs\": [{\"output_type\": \"stream\", \"text\": \"b\"}]}",
        ),
        Kind {
            name: "parts of a line of a notebook",
            file: "a.ipynb",
            text: Box::new(|bytes| {
                let parts = "\"a \", ".repeat(bytes / 6);
                format!("{{\"nbformat\": 4, \"cells\": [{{\"cell_type\": \"markdown\", \"source\": [{parts}\"a\"]}}]}}")
            }),
        },
        // Marks for voices.
        plan("marks for voices", "{\"voiceover\": \"", |_| "<break/>a[pause]".to_owned(), "\"}"),
        plan("open marks for voices", "{\"voiceover\": \"", |_| "<break a".to_owned(), "\"}"),
        plan("open aliases", "{\"voiceover\": \"", |_| "<sub alias='a'>".to_owned(), "\"}"),
        plan("open directions", "{\"voiceover\": \"", |_| "(((((((a".to_owned(), "\"}"),
        // Settings.
        Kind {
            name: "pronunciations",
            file: "a.md",
            text: Box::new(|bytes| {
                let words: String = (0..200).map(|n| format!("  a{n}: b\n")).collect();
                format!("---\npronunciations:\n{words}---\n# T\n\n## A\n\n{}\n", "a ".repeat(bytes / 2))
            }),
        },
        Kind {
            name: "unknown settings",
            file: "a.md",
            text: Box::new(|bytes| {
                let settings: String = (0..bytes / 12).map(|n| format!("s{n}: b\n")).collect();
                format!("---\n{settings}---\n# T\n\n## A\n\nw\n")
            }),
        },
        // Plans.
        plan("many scenes", "", |n| format!("{{\"id\": \"s{n}\", \"voiceover\": \"w\", \"elements\": []}}"), ""),
        plan("scenes of one name", "", |_| "{\"id\": \"s\", \"voiceover\": \"w\", \"elements\": []}".to_owned(), ""),
        plan(
            "many elements",
            "{\"elements\": [",
            |n| format!("{{\"id\": \"e{n}\", \"type\": \"text\", \"content\": \"a\"}}"),
            "]}",
        ),
        plan(
            "elements of one name",
            "{\"elements\": [",
            |_| "{\"id\": \"e\", \"type\": \"text\", \"content\": \"a\"}".to_owned(),
            "]}",
        ),
        plan(
            "transformations",
            "{\"elements\": [",
            |n| format!("{{\"id\": \"e{n}\", \"type\": \"transform\", \"target\": \"e\", \"to\": \"a\"}}"),
            "]}",
        ),
        plan("keys", "{\"elements\": [{\"type\": \"text\",", |n| format!("\"k{n}\": 1"), "}]}"),
        plan("keys of a scene", "{", |n| format!("\"k{n}\": 1"), "}"),
        plan("points", "{\"elements\": [{\"type\": \"plot\", \"points\": [", |_| "[0,1]".to_owned(), "]}]}"),
        plan("rows", "{\"elements\": [{\"type\": \"table\", \"rows\": [", |_| "[\"a\",\"b\"]".to_owned(), "]}]}"),
        plan("cells", "{\"elements\": [{\"type\": \"table\", \"rows\": [[", |_| "\"a\"".to_owned(), "]]}]}"),
        plan("bullets", "{\"elements\": [{\"type\": \"bullets\", \"items\": [", |_| "\"a\"".to_owned(), "]}]}"),
        plan("nodes", "{\"elements\": [{\"type\": \"graph\", \"nodes\": [", |n| format!("\"n{n}\""), "]}]}"),
        plan(
            "edges",
            "{\"elements\": [{\"type\": \"graph\", \"edges\": [",
            |n| format!("[\"n{n}\", \"m{n}\"]"),
            "]}]}",
        ),
        plan(
            "columns of a chart",
            "{\"elements\": [{\"type\": \"barchart\", \"values\": [",
            |_| "1".to_owned(),
            "]}]}",
        ),
        plan(
            "lists in lists of a plan",
            "{\"elements\": [",
            |_| format!("{}1{}", "[".repeat(40), "]".repeat(40)),
            "]}",
        ),
        plan("a plan cut off", "{\"elements\": [", |_| "{\"type\": \"text\", \"content\": \"a".to_owned(), ""),
        plan("remarks of a plan", "", |_| "/* a */ // b\n".to_owned(), "{\"voiceover\": \"w\"}"),
        plan("escapes of a plan", "{\"voiceover\": \"", |_| "\\u0041\\n\\frac".to_owned(), "\"}"),
        plan("words of a plan", "{\"voiceover\": \"", |_| "A b. ".to_owned(), "\"}"),
        plan(
            "quotes in a plan",
            "{\"voiceover\": \"",
            |n| if n == 0 { format!("{}a\\n", ">".repeat(20_000)) } else { "b\\n".to_owned() },
            "\"}",
        ),
        plan("quoted plan", "{\"voiceover\": \"w\", \"notes\": \"", |_| "{\\\"scenes\\\": [{}]}".to_owned(), "\"}"),
        plan(
            "marks of a plan",
            "{\"elements\": [{\"type\": \"text\", \"content\": \"",
            |_| "- a\\n".to_owned(),
            "\"}]}",
        ),
        plan(
            "pairs of a plan",
            "{\"elements\": [{\"type\": \"circle\", \"content\": \"",
            |n| format!("k{n}=1"),
            "\"}]}",
        ),
        // Programs.
        program("classes", |n| format!("class A{n}(Scene):\n    pass\n")),
        program("classes of one name", |_| "class A(Scene):\n    pass\n".to_owned()),
        program("classes of each other", |n| format!("class A{}(A{n}, Scene):\n    pass\n", n + 1)),
        program("docstrings", |n| format!("class A{n}(Scene):\n    \"\"\"words\n")),
        program("quotes of a program", |_| "\"\"\"'''".to_owned()),
        program("class statements", |_| "class A(B,\n".to_owned()),
        program("empty lines", |_| "\n".to_owned()),
        program("blank classes", |n| format!("class A{n}(Scene):\n\n\n\n")),
    ]
}
