//! A holder and the card in words: the person, the certificates with their dates as seen from now,
//! the PINs with the tries that are left.

use crate::language::Language;
use jiff::Timestamp;
use std::fmt;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::{CertificateState, Revocation, Sex};
use vmyna_sim::issue::{CertifiedKey, issued_pin};
use vmyna_sim::pin::PinName;
use vmyna_sim::pki::JAPAN;

pub(super) struct Description<'a> {
    pub card: &'a Personalised,
    /// whether the holder is built in, so that the secrets are none
    pub published: bool,
    pub now: Timestamp,
    pub language: Language,
}

const MASK: &str = "****";

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = self.card.holder();
        let title = match self.language {
            Language::Ja => &holder.title.ja,
            Language::En => &holder.title.en,
        };
        writeln!(f, "{}  {title}", holder.id())?;
        self.person(f)?;
        self.certificates(f)?;
        self.pins(f)
    }
}

impl Description<'_> {
    fn said(&self, ja: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>, ja: &'static str, en: &'static str) -> fmt::Result {
        writeln!(f, "\n{}", self.said(ja, en))
    }

    /// A label and what goes with it. Japanese labels are wide: their column is counted in pairs.
    fn line(&self, f: &mut fmt::Formatter<'_>, label: &str, value: &str) -> fmt::Result {
        let width: usize = label.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
        writeln!(f, "  {label}{}{value}", " ".repeat(22_usize.saturating_sub(width).max(1)))
    }

    fn person(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holder = self.card.holder();
        let person = &holder.person;
        let age = holder.age(self.now);
        let birth = match self.language {
            Language::Ja => format!("{} ({age}歳)", person.birth),
            Language::En => format!("{} (age {age})", person.birth),
        };
        let sex = match person.sex {
            Sex::Male => self.said("男", "male"),
            Sex::Female => self.said("女", "female"),
            Sex::Unknown => self.said("不明", "unknown"),
        };
        let number = String::from_utf8_lossy(person.my_number.as_bytes());
        let municipality = &holder.municipality;
        let municipality =
            format!("{} {}, {}", municipality.code, municipality.city, municipality.prefecture);
        self.heading(f, "本人", "Person")?;
        self.line(f, self.said("氏名", "name"), &person.name)?;
        self.substitutes(f, &person.substitutes.name)?;
        self.line(f, self.said("生年月日", "born"), &birth)?;
        self.line(f, self.said("性別", "sex"), sex)?;
        self.line(f, self.said("住所", "address"), &person.address)?;
        self.substitutes(f, &person.substitutes.address)?;
        self.line(f, self.said("個人番号", "My Number"), if self.published { &number } else { MASK })?;
        self.line(f, self.said("市区町村", "municipality"), &municipality)?;
        let expiry = self.card.issued().body.expiry;
        let days_ago = JAPAN.to_datetime(self.now).date().duration_since(expiry).as_hours() / 24;
        let expiry = match self.language {
            _ if days_ago <= 0 => expiry.to_string(),
            Language::Ja => format!("{expiry} (期限切れ、{days_ago}日前まで有効。電子証明書もその日まで)"),
            Language::En => format!("{expiry} (expired {days_ago} days ago, and the certificates by then)"),
        };
        self.line(f, self.said("カードの有効期限", "card valid until"), &expiry)
    }

    fn substitutes(&self, f: &mut fmt::Formatter<'_>, map: &str) -> fmt::Result {
        if !map.contains('1') {
            return Ok(());
        }
        self.line(f, self.said("代替文字", "substituted"), map)
    }

    fn certificates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issued = self.card.issued();
        let holder = self.card.holder();
        self.heading(f, "電子証明書", "Certificates")?;
        let authentication = holder.state.certificates.user_authentication;
        self.certificate(
            f,
            PinName::UserAuthentication,
            "000A",
            &issued.user_authentication,
            authentication,
        )?;
        match &issued.digital_signature {
            None => {
                let why = if holder.age(self.now) < vmyna_sim::holder::SignatureCertificate::AGE {
                    self.said("なし (15歳未満)", "none (under 15)")
                } else {
                    self.said("なし", "none")
                };
                self.line(f, self.pin_title(PinName::DigitalSignature), why)
            }
            Some(certified) => {
                let state = holder.signature_certificate(self.now).unwrap_or_default();
                self.certificate(f, PinName::DigitalSignature, "0001", certified, state)
            }
        }
    }

    fn certificate(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: PinName,
        file: &str,
        certified: &CertifiedKey,
        state: CertificateState,
    ) -> fmt::Result {
        let day = |instant| JAPAN.to_datetime(instant).date();
        let (first, last) =
            (day(certified.record.validity.not_before), day(certified.record.validity.not_after));
        let serial: String =
            certified.record.serial_number.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        let since = day(certified.record.generation.validity().not_before).year();
        let size = certified.certificate.len();
        self.line(f, self.pin_title(name), &self.in_force(certified, state))?;
        let details = match self.language {
            Language::Ja => [
                format!("{first} から {last} まで"),
                format!("シリアル番号 {serial}、{since}年世代の認証局"),
                format!("EF {file}、{size} バイト"),
            ],
            Language::En => [
                format!("{first} to {last}"),
                format!("serial number {serial}, authority of the generation of {since}"),
                format!("EF {file}, {size} bytes"),
            ],
        };
        details.iter().try_for_each(|detail| self.line(f, "", detail))
    }

    /// Whether the certificate counts, and how far from now its end or beginning is.
    fn in_force(&self, certified: &CertifiedKey, state: CertificateState) -> String {
        let days = |instant: Timestamp| {
            let (now, then) = (JAPAN.to_datetime(self.now).date(), JAPAN.to_datetime(instant).date());
            then.duration_since(now).as_hours() / 24
        };
        let validity = certified.record.validity;
        if validity.not_after < self.now {
            let days = -days(validity.not_after);
            return match self.language {
                Language::Ja => format!("期限切れ ({days}日前まで有効)"),
                Language::En => format!("expired {days} days ago"),
            };
        }
        let days_left = days(validity.not_after);
        match (state.revocation(), self.language) {
            _ if validity.not_before > self.now => match (days(validity.not_before), self.language) {
                (days, Language::Ja) => format!("有効期間前 ({days}日後から有効)"),
                (days, Language::En) => format!("not yet valid, begins in {days} days"),
            },
            (Some(Revocation::Revoked), _) => self.said("失効", "revoked").to_owned(),
            (Some(Revocation::OnHold), _) => self.said("一時停止中", "on hold").to_owned(),
            (None, Language::Ja) => format!("有効 (あと{days_left}日)"),
            (None, Language::En) => format!("in force, {days_left} days left"),
        }
    }

    fn pins(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.heading(f, "暗証番号", "PINs")?;
        for pin in PinName::ALL {
            let full = self.card.profile().tries.of(pin);
            let tries = match (self.card.tries_at_issue(pin), self.language) {
                (0, _) => self.said("ロック", "blocked").to_owned(),
                (tries, Language::Ja) => format!("残り{tries}回 (最大{full}回)"),
                (tries, Language::En) => format!("{tries} of {full} tries left"),
            };
            let value = issued_pin(self.card.holder(), self.card.issued().body.expiry, pin);
            let value = String::from_utf8_lossy(value.as_bytes());
            let value = if self.published { &value } else { MASK };
            self.line(f, self.pin_title(pin), &format!("{value:16}  {tries}"))?;
        }
        Ok(())
    }

    fn pin_title(&self, pin: PinName) -> &'static str {
        match pin {
            PinName::UserAuthentication => self.said("利用者証明用", "user authentication"),
            PinName::DigitalSignature => self.said("署名用", "digital signature"),
            PinName::TextInput => self.said("券面事項入力補助用", "text input"),
            PinName::TextCodeA => self.said("入力補助 照合番号A", "text code A"),
            PinName::TextCodeB => self.said("入力補助 照合番号B", "text code B"),
            PinName::VisualCodeA => self.said("券面確認 照合番号A", "visual code A"),
            PinName::VisualCodeB => self.said("券面確認 照合番号B", "visual code B"),
            PinName::BirthDate => self.said("券面確認 生年月日", "date of birth"),
            PinName::ResidentRegister => self.said("住民基本台帳用", "resident register"),
            PinName::CommonCard => self.said("共通カード", "common card"),
        }
    }
}
