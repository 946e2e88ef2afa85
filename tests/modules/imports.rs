//! Who imports whom in a tree of Rust modules, read from the sources as the compiler reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A crate's modules: path of the file below the crate's `src`, and the files whose items it names outside of its tests.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// The imports of the crate whose root is `source`/lib.rs.
pub fn of_crate(source: &Path) -> Imports {
    let files: BTreeMap<Vec<String>, String> = files(source)
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(source).unwrap().to_str().unwrap().to_owned();
            Some((module(&inside)?, inside))
        })
        .collect();
    files
        .iter()
        .filter(|(_, file)| !is_test(file))
        .map(|(module, file)| {
            let text = std::fs::read_to_string(source.join(file)).unwrap();
            (file.clone(), named(&text, module, &files))
        })
        .collect()
}

/// Whether a file is compiled for tests alone, which may look anywhere.
fn is_test(file: &str) -> bool {
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".rs");
    matches!(stem, "tests" | "testing") || stem.ends_with("_tests")
}

/// The files that `text`, the source of `module`, names.
fn named(text: &str, module: &[String], files: &BTreeMap<Vec<String>, String>) -> BTreeSet<String> {
    let mut paths = Paths { module: module.to_vec(), found: BTreeSet::new() };
    paths.visit_file(&syn::parse_file(text).unwrap());
    let of = |path: &Vec<String>| {
        // The longest beginning of the path that is a file; the rest are items in it.
        let parts = (1..=path.len()).rev().map(|length| path[..length].to_vec());
        parts.filter_map(|part| files.get(&part).cloned()).next()
    };
    let own = files.get(module);
    paths.found.iter().filter_map(of).filter(|file| Some(file) != own).collect()
}

/// The module that a file holds; none for programs and roots of crates.
fn module(file: &str) -> Option<Vec<String>> {
    let stem = file.strip_suffix(".rs")?;
    let parts: Vec<String> = stem.split('/').map(str::to_owned).collect();
    let module = match parts.split_last()? {
        (last, above) if last == "mod" => above.to_vec(),
        _ => parts,
    };
    (!matches!(&*module.join("/"), "main" | "lib")).then_some(module)
}

/// Files that import each other in a circle. A module and those inside it count as one, whichever names the other.
pub fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let folder = |file: &str| file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")).unwrap_or(file).to_owned();
    let inside = |a: &str, b: &str| format!("{}/", folder(b)).starts_with(&format!("{}/", folder(a)));
    let steps = |file: &String| -> Vec<&String> {
        imports.get(file).into_iter().flatten().filter(|other| !inside(file, other) && !inside(other, file)).collect()
    };
    let reached = |from: &String| -> BTreeSet<String> {
        let (mut seen, mut open) = (BTreeSet::new(), steps(from));
        while let Some(file) = open.pop() {
            if seen.insert(file.clone()) {
                open.extend(steps(file));
            }
        }
        seen
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = imports.keys().map(|file| (file, reached(file))).collect();
    let mut found = BTreeSet::new();
    for (file, seen) in &reach {
        if seen.contains(*file) {
            let back = |other: &&String| reach.get(other).is_some_and(|seen| seen.contains(*file));
            found.insert(seen.iter().filter(back).cloned().collect::<Vec<_>>());
        }
    }
    found.into_iter().collect()
}

/// Collects the paths that begin at the crate, as lists of names.
struct Paths {
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add(&mut self, path: &[String]) {
        let (first, rest) = path.split_first().map_or((None, path), |(first, rest)| (Some(first.as_str()), rest));
        let mut at = match first {
            Some("crate") => Vec::new(),
            Some("self") => self.module.clone(),
            Some("super") => self.module[..self.module.len() - 1].to_vec(),
            _ => return,
        };
        for name in rest {
            if name == "super" {
                at.pop();
            } else {
                at.push(name.clone());
            }
        }
        self.found.insert(at);
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(path.ident.to_string()), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before),
            syn::UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            syn::UseTree::Rename(rename) => self.add(&with(rename.ident.to_string())),
            syn::UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'a> Visit<'a> for Paths {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        // Tests may look anywhere.
        let tests = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
        };
        if item.attrs.iter().any(tests) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&names);
        visit::visit_path(self, path);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_of(names: &[&str]) -> BTreeMap<Vec<String>, String> {
        names.iter().map(|name| (module(name).unwrap(), (*name).to_owned())).collect()
    }

    #[test]
    fn every_form_of_an_import_is_seen_but_those_of_tests() {
        let files = files_of(&["a/mod.rs", "a/x.rs", "b.rs", "c.rs", "d.rs", "e.rs"]);
        let text =
            "use crate::{b::{self, Thing}, c}; use super::super::d::*; mod inner { fn f() { super::super::g(); } }
            fn h() -> Vec<crate::e::Item> { todo!() } #[cfg(test)] mod tests { use crate::a::secret; }";
        let module = ["a".to_owned(), "x".to_owned()];
        let seen: Vec<String> = named(text, &module, &files).into_iter().collect();
        assert_eq!(seen, ["a/mod.rs", "b.rs", "c.rs", "d.rs", "e.rs"]);
    }

    #[test]
    fn a_circle_is_found_and_a_module_with_its_parts_is_none() {
        let imports = |pairs: &[(&str, &[&str])]| -> Imports {
            let all = pairs
                .iter()
                .map(|(file, others)| ((*file).to_owned(), others.iter().map(|other| (*other).to_owned()).collect()));
            all.collect()
        };
        let whole = imports(&[("a/mod.rs", &["a/x.rs"]), ("a/x.rs", &["a/mod.rs"]), ("b.rs", &["a/mod.rs"])]);
        assert_eq!(circles(&whole), Vec::<Vec<String>>::new());
        let round = imports(&[("a/x.rs", &["a/y.rs"]), ("a/y.rs", &["b.rs"]), ("b.rs", &["a/x.rs"])]);
        assert_eq!(circles(&round), [["a/x.rs", "a/y.rs", "b.rs"]]);
    }
}
