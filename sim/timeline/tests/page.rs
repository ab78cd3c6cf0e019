//! The page holds what it was given, needs no other file, and nothing in a record can break out of
//! its place.

use timeline::{Arrow, Band, Class, Event, Kind, Lane, Record, State, Strip, Violation, page};

/// Names that would end a script or begin something else, if they were not made harmless.
const NASTY: &str = "</script><script>alert(1)</script><!-- & \" ' \u{2028} \\u003c <b> ]]> ü";

fn record() -> Record {
    let nasty = || NASTY.to_owned();
    let event = |at, lane, kind| Event { at, lane, kind, text: nasty(), about: vec![0] };
    let arrow = Arrow {
        from: 0,
        to: 1,
        left: 10,
        arrived: None,
        label: nasty(),
        event: 0,
        answers: None,
        refusal: true,
        about: vec![0],
    };
    let (look, text) = ("dead".to_owned(), nasty());
    let band = Band { lane: 1, strip: Strip::Life, look, begin: 5, end: 50, text };
    let violation = Violation {
        at: 20,
        id: "D1".to_owned(),
        sentence: nasty(),
        details: nasty(),
        events: vec![0],
        about: vec![0],
    };
    let lane = |name: &str| Lane { name: name.to_owned(), role: "server".to_owned() };
    Record {
        title: format!("a run {NASTY}"),
        passed: false,
        verdict: nasty(),
        facts: vec![("seed".to_owned(), nasty())],
        end: 3_000_000,
        phases: vec![(0, "calm".to_owned())],
        lanes: vec![lane(NASTY), lane("broker-0")],
        kinds: vec![Kind { name: nasty(), class: Class::Client }],
        events: vec![event(10, Some(0), 0), event(20, None, 0)],
        arrows: vec![arrow],
        bands: vec![band],
        states: vec![State { at: 5, lane: 1, key: "life".to_owned(), value: nasty() }],
        subjects: vec![nasty()],
        violations: vec![violation],
    }
}

/// What stands within the element that holds the data.
fn data(page: &str) -> &str {
    let (_, rest) =
        page.split_once(r#"<script type="application/json" id="record">"#).expect("it is there");
    rest.split_once("</script>").expect("it ends").0
}

#[test]
fn the_data_parses_back_to_the_very_record() {
    let page = page(&record());
    let parsed: Record = serde_json::from_str(data(&page)).expect("the data is JSON");
    assert_eq!(parsed, record());
}

#[test]
fn nothing_in_a_record_breaks_out_of_its_place() {
    let page = page(&record());
    assert!(!data(&page).contains('<'), "a tag could begin in the data");
    assert_eq!(page.matches("<script").count(), 2, "the data and the script, and no others");
    assert_eq!(page.matches("</script").count(), 2);
    assert!(page.contains("<title>a run &lt;/script&gt;&lt;script&gt;"));
}

#[test]
fn the_page_needs_nothing_else() {
    // Whatever a record says is a word and no address, so the page is looked at without it.
    let page = page(&Record { title: "a run".to_owned(), ..Record::default() });
    for foreign in ["http:", "https:", "src=", "href", "@import", "url(", "fetch(", "import("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // Words of a record become text, never markup or code.
    for unsafe_way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!page.contains(unsafe_way), "{unsafe_way}");
    }
}

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "input"];

#[test]
fn every_element_ends_where_it_should() {
    let page = page(&record());
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("it is HTML");
    while let Some((_, behind)) = rest.split_once('<') {
        let (tag, behind) = behind.split_once('>').expect("a tag ends");
        let name: String =
            tag.chars().skip_while(|c| *c == '/').take_while(char::is_ascii_alphanumeric).collect();
        rest = behind;
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "</{name}> ends another");
        } else if name == "script" || name == "style" {
            // What stands within is no markup.
            let end = format!("</{name}>");
            rest = rest.split_once(end.as_str()).expect("it ends").1;
        } else if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never ended: {open:?}");
}

#[test]
fn events_of_the_world_have_no_lane() {
    let json = serde_json::to_string(&record().events).expect("plain data");
    assert!(json.starts_with("[[10,0,0,") && json.contains("[20,-1,0,"), "{json}");
}
