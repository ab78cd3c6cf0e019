//! The page: the files of `web/` put together around a record.

use crate::record::Record;

/// The frame: its comments name the parts that go into it.
const FRAME: &str = include_str!("../web/page.html");
const STYLE: &str = include_str!("../web/style.css");
/// The scripts, in the order in which they build on each other.
const SCRIPTS: [&str; 8] = [
    include_str!("../web/data.js"),
    include_str!("../web/axis.js"),
    include_str!("../web/follow.js"),
    include_str!("../web/draw.js"),
    include_str!("../web/overview.js"),
    include_str!("../web/panel.js"),
    include_str!("../web/keys.js"),
    include_str!("../web/main.js"),
];

/// The page that shows `record`: one file that needs no other.
pub fn page(record: &Record) -> String {
    let json = serde_json::to_string(record).expect("a record is plain data");
    let parts = [
        ("<!--title-->", text(&record.title)),
        ("/*style*/", STYLE.to_owned()),
        ("<!--data-->", inert(&json)),
        ("/*script*/", SCRIPTS.join("\n")),
    ];
    // Each part goes behind the last one, so that no part is searched for the mark of another.
    let (mut page, mut rest) = (String::with_capacity(json.len() + (1 << 17)), FRAME);
    for (mark, part) in parts {
        let (before, after) = rest.split_once(mark).expect("the frame has the mark, in this order");
        page.push_str(before);
        page.push_str(&part);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// JSON that can stand within a `script` element: nothing in it ends the element or begins a
/// comment. Only strings hold such characters, and there the escape means the same.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Text that can stand between tags.
fn text(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
