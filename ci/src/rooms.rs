//! Rule 5: small rooms, and what else a reader may count on in every file.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::Visit;

use crate::manifests::Workspace;
use crate::sources::{Source, is_test};

/// Columns a line may have.
pub const COLUMNS_MAX: usize = 100;
/// Lines a function may have, unless it is one exhaustive match.
pub const FUNCTION_LINES_MAX: usize = 70;
/// Production lines a file may have.
pub const FILE_LINES_MAX: usize = 500;
/// Lines a file of tests may have.
pub const TEST_FILE_LINES_MAX: usize = 700;
/// Arguments a function may take besides `self`.
pub const ARGUMENTS_MAX: usize = 5;

/// Attributes and macros that may not appear, and what to do instead.
const BANNED: [(&str, &str); 6] = [
    ("#[allow(", "use #[expect(…, reason = \"…\")]"),
    ("#![allow(", "use #[expect(…, reason = \"…\")]"),
    ("#[ignore", "a test that does not run is no test"),
    ("#[should_panic", "return a Result and look at it"),
    ("todo!(", "say it in an issue"),
    ("unimplemented!(", "say it in an issue"),
];

/// Every file or function that is too large, and every file that misses its first line.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        violations.extend(lines(source));
        let mut functions = Functions { source, violations: Vec::new() };
        functions.visit_file(&source.syntax);
        violations.extend(functions.violations);
    }
    violations
}

/// Every package that has more production lines than its budget in `[workspace.metadata.budgets]`.
pub fn over_budget(workspace: &Workspace, sources: &[Source]) -> Vec<String> {
    let budgets = workspace.metadata["budgets"].as_table().expect("budgets is a table");
    let mut spent: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        *spent.entry(&source.package).or_default() += source.production_lines;
    }
    spent
        .into_iter()
        .filter_map(|(package, lines)| {
            let budget = budgets.get(package)?.as_integer()?;
            let over = i64::try_from(lines).is_ok_and(|lines| lines > budget);
            over.then(|| format!("{package}: {lines} production lines of {budget}"))
        })
        .collect()
}

fn lines(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    let path = &source.path;
    if !source.text.starts_with("//!") {
        violations.push(format!("{path}: does not begin with `//!`"));
    }
    let (lines, max) = match source.module {
        Some(_) => (source.production_lines, FILE_LINES_MAX),
        None => (source.text.lines().count(), TEST_FILE_LINES_MAX),
    };
    if lines > max {
        violations.push(format!("{path}: {lines} lines of {max}"));
    }
    for (number, line) in source.text.lines().enumerate() {
        let number = number + 1;
        if line.chars().count() > COLUMNS_MAX {
            violations.push(format!("{path}:{number}: more than {COLUMNS_MAX} columns"));
        }
        let code = line.trim_start();
        if source.package != "ci" && !code.starts_with("//") {
            for (banned, instead) in BANNED {
                if code.contains(banned) {
                    violations.push(format!("{path}:{number}: {banned}…: {instead}"));
                }
            }
        }
    }
    violations
}

struct Functions<'a> {
    source: &'a Source,
    violations: Vec<String>,
}

impl Functions<'_> {
    fn check(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let typed = |input: &&syn::FnArg| matches!(input, syn::FnArg::Typed(_));
        let arguments = signature.inputs.iter().filter(typed).count();
        let start = signature.span().start().line;
        let lines = block.span().end().line - start + 1;
        let at = format!("{}:{start}: {}", self.source.path, signature.ident);
        if arguments > ARGUMENTS_MAX {
            self.violations.push(format!("{at}: {arguments} arguments of {ARGUMENTS_MAX}"));
        }
        if lines > FUNCTION_LINES_MAX && !is_table(block) {
            self.violations.push(format!("{at}: {lines} lines of {FUNCTION_LINES_MAX}"));
        }
    }
}

/// Whether the block is, but for a few lines before it, one match, or one list of constants.
fn is_table(block: &syn::Block) -> bool {
    let Some(syn::Stmt::Expr(last, None)) = block.stmts.last() else { return false };
    let before = last.span().start().line - block.span().start().line;
    matches!(last, syn::Expr::Match(_) | syn::Expr::Array(_) | syn::Expr::Reference(_))
        && before <= 8
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.check(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.check(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }
}
