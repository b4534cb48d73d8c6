//! The words of the Cabinet Office's guide, one by one, on the pages where they stand there; that each
//! page has a name and a language; and that its colours can be read.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::portal::{Reply, RunningPortal, Visitor, agent, sign};
use std::collections::BTreeMap;

/// The words on a page, without its markup and without spaces.
fn words(page: &str) -> String {
    let body = page.split("<body").nth(1).expect("a body");
    let pieces = body.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
    tight(&pieces.map(|(_, text)| text).collect::<String>())
}

fn tight(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Every page of an application and an inquiry, in Japanese, by the guide's names of the states; of the
/// terminal its one page with all its screens.
fn pages(portal: &RunningPortal) -> BTreeMap<&'static str, Reply> {
    let mut pages = BTreeMap::new();
    for (holder, tick, [done, status]) in
        [("hanako", true, ["done, ticked", "status, ticked"]), ("taro", false, ["done", "status"])]
    {
        let mut visitor = Visitor::at(portal);
        let top = visitor.get("/");
        let token = top.after(r#"name="form_token" value=""#);
        let start = |visitor: &mut Visitor, purpose| {
            visitor.post("/start", &[("form_token", &token), ("purpose", purpose)]).location
        };
        let flow = start(&mut visitor, "application");
        pages.insert("top", top);
        pages.insert("step 1", visitor.get(&flow));
        let agreed = [("form_token", &token[..]), ("button", "agree"), ("has_box", "1")];
        visitor.post(&flow, &agreed);
        pages.insert("step 2", visitor.get(&flow));
        let asked = visitor.ask("application", tick);
        pages.insert(done, visitor.deliver(&asked.state, &sign(holder, &asked.nonce)));
        let flow = start(&mut visitor, "inquiry");
        pages.insert("authenticate", visitor.get(&flow));
        let asked = visitor.ask("inquiry", false);
        pages.insert(status, visitor.deliver(&asked.state, &sign(holder, &asked.nonce)));
    }
    pages.insert("terms", Visitor::at(portal).get("/terms"));
    pages.insert("nothing", Visitor::at(portal).get("/nothing"));
    let terminal = agent().get(format!("{}/", portal.terminal)).call().unwrap();
    pages.insert("terminal", Reply::of(terminal));
    pages
}

const IOS: &str =
    "スマートフォンの上部に、マイナンバーカードの中心を、押し当てて、動かさずに、しばらくお待ちください";
const ANDROID: &str = "スマートフォンの裏面のモバイル非接触IC通信マークに、マイナンバーカードの中心を、押し当てて、動かさずに、しばらくお待ちください。";
const SEE_IT: &str = "2021年3月が近づいてきましたら、マイナポータルのトップ画面の「申込状況を確認」ボタンを押下いただき、「登録完了」となっていることを";
const FROM_MARCH: &str = "マイナンバーカードを健康保険証として利用できるのは、オンライン資格確認に対応した医療機関で、2021年3月（予定）以降となります。";
const PREPARING: &str = "⚠ システム準備中のため、しばらくお待ちください。 2021年3月までに登録完了予定。";

/// What stands where in the guide.
const GUIDE: [(&str, &[&str]); 10] = [
    (
        "top",
        &[
            "事前に準備する物",
            "申込者のマイナンバーカード",
            "数字4桁の暗証番号（パスワード）",
            "マイナンバーカード読み取り対応のスマホ",
            "対応スマホの一覧",
            "利用するスマホ用のマイナポータルAPのインストール",
            "iPhone版",
            "Android版",
            "「プライベートブラウザ」「シークレット」モードは",
            "OFFにしてください。",
            "開いているすべてのタブを閉じることをお勧めします",
            "利用を申し込む",
            "申込状況を確認",
        ],
    ),
    (
        "step 1",
        &[
            "ステップ1 ステップ2 完了",
            "メニュー",
            "ステップ1. 登録の内容について確認ください",
            "ご本人のマイナンバーカードを健康保険証として利用できるようにするための登録をします",
            "マイナンバーカードを健康保険証として利用できるのは、オンライン資格確認に対応した医療機関等で、2021年3月（予定）以降になります。",
            "詳しくはこちら",
            "マイナポータルの利用者登録を行うと、ご自身の情報や行政機関からのお知らせ",
            "様々なサービスの利用ができます",
            "マイナポータルの利用者登録を行う",
            "以下のマイナポータル利用規約をご確認のうえ、「同意して次へ進む」を押してください。",
            "マイナポータル利用規約",
            "同意して次へ進む",
            "戻る",
        ],
    ),
    ("step 2", &["ステップ1 ステップ2 完了", "「申し込む」を押してください。", "申し込む"]),
    (
        "terminal",
        &[
            "スマホでログイン",
            "マイナンバーカードの利用者証明用電子証明書のパスワードを入力してください",
            "次へ",
            "利用者証明用電子証明書のパスワードとは",
            "パスワード入力",
            "マイナンバーカードの利用者証明用電子証明書のパスワード(4桁の数字)を入力してください。",
            "パスワード",
            "パスワードを表示する",
            "キャンセル",
            "OK",
            IOS,
            ANDROID,
            "上手くいかないときは、以下の項目をチェックしてください。",
            "パスワード入力から読み取り完了までスマートフォンとマイナンバーカードをピッタリあて続けてください",
            "読み取りが完了するまでに、5秒以上かかる場合があります",
            "金属の机の上では読み取れない場合があります",
            "カバーをしている場合は、はずしてください",
            "充電やイヤホン等のケーブルは、はずしてください",
            "Androidの場合は、NFC／おさいふケータイの機能をONにしてください",
        ],
    ),
    (
        "done",
        &[
            "ステップ1 ステップ2 完了",
            "申し込みを受け付けました",
            "マイナンバーカードを健康保険証として利用するための申し込みを受け付けました。",
            "ありがとうございました。",
            "申込状況 ✓ 正常に受け付けました。",
            "健康保険証としての登録状況",
            PREPARING,
            SEE_IT,
            "ご確認ください。",
            FROM_MARCH,
            "終了",
        ],
    ),
    ("done, ticked", &["マイナポータルの利用者登録 ✓ 正常に受け付けました。", "終了"]),
    ("authenticate", &["「認証する」を押してください。", "認証する"]),
    (
        "status",
        &[
            "メニュー",
            "申込状況",
            "あなたのマイナンバーカードを健康保険証として利用するための登録の申込状況は、以下のとおりです。",
            "申込状況 ✓ 正常に受け付けました。",
            "健康保険証としての登録状況",
            PREPARING,
            SEE_IT,
            "ご確認してください。",
            FROM_MARCH,
            "終了",
        ],
    ),
    ("status, ticked", &["マイナポータルの利用者登録 ✓ 正常に受け付けました。", "終了"]),
    ("terms", &["利用規約"]),
];

/// What must not stand there.
const NEVER: [(&str, &str); 5] = [
    ("done", "ご確認してください。"),
    ("status", "ご確認ください。"),
    ("done", "マイナポータルの利用者登録"),
    ("status", "マイナポータルの利用者登録"),
    ("top", "Cabinet Office"),
];

#[test]
fn every_label_of_the_guide_stands_on_its_page() {
    let portal = RunningPortal::start(&[]);
    let pages = pages(&portal);
    let mut missing = Vec::new();
    for (page, labels) in GUIDE {
        let there = words(&pages[page].body);
        missing
            .extend(labels.iter().filter(|label| !there.contains(&tight(label))).map(|label| (page, label)));
    }
    assert!(missing.is_empty(), "{missing:#?}");
    for (page, label) in NEVER {
        assert!(!words(&pages[page].body).contains(label), "{label} on {page}");
    }
    let terminal = &pages["terminal"].body;
    assert!(terminal.contains(r#"placeholder="数字4桁""#));
    for (platform, text) in [("ios", IOS), ("android", ANDROID)] {
        let own = terminal.split(&format!(r#"data-for="{platform}">"#)).nth(1).unwrap();
        assert_eq!(own.split('<').next().unwrap(), text, "{platform}");
    }
    let tag = |page: &str| Reply { body: page.to_owned(), ..pages["top"].clone() }.after(r#"<html lang=""#);
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, page) in pages.iter().filter(|(name, _)| !name.ends_with("ticked")) {
        assert_eq!(tag(&page.body), "ja", "{name}");
        assert!(page.body.contains("模擬"), "{name} says that it is a simulation");
        let title = page.body.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        if let Some(other) = names.insert(title, name) {
            panic!("{name} and {other} are both called {title}");
        }
    }
}

/// The relative luminance of `#rrggbb` or `#rgb`, by WCAG 2.
fn luminance(colour: &str) -> f64 {
    let digits: Vec<u32> = colour.trim_start_matches('#').chars().filter_map(|c| c.to_digit(16)).collect();
    let channels: Vec<f64> = match digits[..] {
        [r, g, b] => [r, g, b].map(|digit| f64::from(17 * digit)).into(),
        _ => digits.chunks(2).map(|pair| f64::from(16 * pair[0] + pair[1])).collect(),
    };
    let linear = |channel: f64| {
        let share = channel / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(channels[0]) + 0.7152 * linear(channels[1]) + 0.0722 * linear(channels[2])
}

#[test]
fn text_stands_out_from_its_ground_in_light_and_in_dark() {
    let css = include_str!("../../harness/src/portal/static/portal.css");
    let schemes: Vec<&str> =
        css.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let colours: BTreeMap<&str, Vec<&str>> = scheme
            .split(';')
            .filter_map(|line| line.trim().strip_prefix("--")?.split_once(':'))
            .map(|(name, value)| {
                let hashes = value.split(|c: char| !c.is_ascii_hexdigit() && c != '#');
                (name, hashes.filter(|word| word.starts_with('#')).collect())
            })
            .collect();
        for (text, ground) in [
            ("ink", "ground"),
            ("ink", "paper"),
            ("ink", "bad-ground"),
            ("ink", "code"),
            ("ink", "plastic"),
            ("soft", "ground"),
            ("soft", "paper"),
            ("soft", "code"),
            ("accent", "ground"),
            ("accent", "paper"),
            ("accent-ink", "accent"),
            ("warn-ink", "warn"),
            ("bad", "paper"),
            ("bad", "bad-ground"),
            ("good", "code"),
        ] {
            for ground in &colours[ground] {
                let [dark, light] = {
                    let mut both = [luminance(colours[text][0]), luminance(ground)];
                    both.sort_by(f64::total_cmp);
                    both
                };
                let contrast = (light + 0.05) / (dark + 0.05);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
    }
}
