//! Names of persons and organisations and postal addresses, by cues in Chinese and in Latin letters.

/// The most frequent single-character surnames: together more than nine tenths of the population
/// (ranking of the Ministry of Public Security, 2020), plus those of the Hundred Family Surnames in use.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文施洪辛柯庄温牛樊葛邢安齐伍庞颜倪聂章鲁岳翟殷詹申耿关焦俞左柳甘祝包宁尚符舒阮纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁蓝骆路游靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝";

/// Surnames of two characters.
const COMPOUND: [&str; 16] = [
    "欧阳", "上官", "司马", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒", "令狐", "夏侯", "端木",
    "长孙", "宇文", "轩辕",
];

/// Frequent given names and surnames in Latin letters (US Census 1990/2010 lists, heads; pinyin surnames).
const LATIN: &str = "aaron abigail adam adams alan albert alexander alice allen amanda amber amy anderson andrea andrew angela ann anna anne anthony ashley austin baker barbara benjamin betty beverly billy bradley brandon brenda brian brown bruce bryan campbell carl carol carolyn carter catherine charles charlotte chen cheryl christian christina christine christopher clark collins craig cruz cynthia daniel danielle david davis deborah debra denise dennis diana diane diaz donald donna doris dorothy douglas dylan edward edwards elizabeth emily emma eric ethan eugene evans evelyn flores frances frank gabriel garcia gary george gerald gloria gomez gonzalez grace green gregory hall hannah harold harris heather helen henry hernandez hill howard isabella jack jackson jacob jacqueline james jane janet janice jason jean jeffrey jennifer jeremy jerry jesse jessica joan joe john johnson jones jordan jose joseph joshua joyce juan judith judy julia julie justin karen katherine kathleen kathryn kayla keith kelly kenneth kevin kim kimberly king kyle larry laura lauren lawrence lee lewis liam li lin linda lisa liu logan lopez louis lucas madison margaret maria marie marilyn mark martha martin martinez mary mason matthew megan melissa mia michael michelle miller mitchell mohamed moore morgan morris murphy nancy natalie nathan nelson nguyen nicholas nicole noah olivia pamela parker patel patricia patrick paul perez peter philip phillip phillips ralph ramirez randy raymond rebecca reyes richard rivera robert roberts robinson rodriguez roger ronald rose roy russell ruth ryan samantha samuel sanchez sandra sara sarah scott sean sharon shirley smith sophia stephanie stephen stephen steven stewart sun susan taylor teresa terry theresa thomas thompson timothy torres turner tyler victoria vincent virginia walker walter wang wayne white william williams wilson wood wright wu xu yang young zachary zhang zhao zhou";

/// Whether a character is a Chinese one.
pub(super) fn han(c: char) -> bool {
    ('\u{3400}'..='\u{9FFF}').contains(&c) || ('\u{20000}'..='\u{3FFFF}').contains(&c)
}

/// Chinese characters in a text.
pub(super) fn han_count(text: &str) -> usize {
    if text.is_ascii() { 0 } else { text.chars().filter(|c| han(*c)).count() }
}

/// A person's name: two to four Chinese characters that start with a surname, or Latin words one of
/// which is a frequent given name or surname.
pub(super) fn person_name(text: &str) -> bool {
    if text.is_ascii() { name_like(text) && known_latin(text) } else { chinese_name(text) }
}

fn chinese_name(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| *c != ' ').take(12).collect();
    // Names of minorities written in Chinese characters have a middle dot.
    if plain.contains(&'·') {
        return plain.len() >= 4 && plain.iter().all(|c| han(*c) || *c == '·');
    }
    if !plain.iter().all(|c| han(*c)) {
        return false;
    }
    match plain.as_slice() {
        [first, _] | [first, _, _] if SURNAMES.contains(*first) => true,
        [_, _, _] | [_, _, _, _] => COMPOUND.iter().any(|c| text.starts_with(c)),
        _ => false,
    }
}

/// One to five words of letters that start with capitals, at most 60 bytes, such as a name would be.
pub(super) fn name_like(text: &str) -> bool {
    let word = |w: &str| {
        let bare = w.trim_end_matches([',', '.']);
        bare.starts_with(char::is_uppercase)
            && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.'))
    };
    let words = text.split_whitespace().count();
    text.len() <= 60 && han_count(text) == 0 && (2..=5).contains(&words) && text.split_whitespace().all(word)
}

fn known_latin(text: &str) -> bool {
    let known = latin();
    text.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| word.len() >= 2)
        .any(|word| known.contains(word.to_ascii_lowercase().as_str()))
}

fn latin() -> &'static std::collections::HashSet<&'static str> {
    static KNOWN: std::sync::LazyLock<std::collections::HashSet<&'static str>> =
        std::sync::LazyLock::new(|| LATIN.split(' ').collect());
    &KNOWN
}

/// Words that end or mark the name of an organisation.
pub(super) fn organisation(text: &str) -> bool {
    const HAN: [&str; 14] = [
        "公司",
        "集团",
        "事务所",
        "合作社",
        "研究院",
        "研究所",
        "委员会",
        "基金会",
        "协会",
        "商行",
        "经营部",
        "工作室",
        "银行",
        "大学",
    ];
    const LATIN: [&str; 12] = [
        "Inc",
        "Inc.",
        "LLC",
        "Ltd",
        "Ltd.",
        "Limited",
        "GmbH",
        "Corp",
        "Corp.",
        "Corporation",
        "Company",
        "PLC",
    ];
    if text.is_ascii() {
        text.contains(' ') && text.split([' ', ',']).any(|word| LATIN.contains(&word))
    } else {
        han_count(text) >= 4 && HAN.iter().any(|word| text.ends_with(word))
    }
}

/// A postal address, in the order of either language.
pub(super) fn address(text: &str) -> bool {
    if text.is_ascii() { latin_address(text) } else { chinese_address(text) }
}

/// At least two kinds of place words from large to small, and a number or a third one.
fn chinese_address(text: &str) -> bool {
    const CUES: [&[char]; 5] = [
        &['省', '州'],
        &['市', '区', '县', '旗'],
        &['镇', '乡', '村', '屯'],
        &['路', '街', '道', '巷', '弄', '坊', '里'],
        &['号', '室', '楼', '栋', '幢', '层', '户'],
    ];
    let length = text.chars().count();
    if !(6..=80).contains(&length) || text.contains(['。', '!', '?', '\u{FF01}', '\u{FF1F}']) {
        return false;
    }
    let cues = CUES.iter().filter(|group| text.contains(**group)).count();
    let numbered = text.contains(|c: char| c.is_numeric() || "一二三四五六七八九十".contains(c));
    cues >= 3 || cues == 2 && numbered && text.contains(['号', '室', '栋', '幢', '楼'])
}

/// A house number and a street word, or a post office box.
fn latin_address(text: &str) -> bool {
    const STREETS: [&str; 26] = [
        "street",
        "st",
        "avenue",
        "ave",
        "road",
        "rd",
        "lane",
        "ln",
        "drive",
        "dr",
        "boulevard",
        "blvd",
        "court",
        "ct",
        "place",
        "pl",
        "way",
        "terrace",
        "highway",
        "hwy",
        "parkway",
        "pkwy",
        "square",
        "circle",
        "close",
        "crescent",
    ];
    if text.len() < 8 || text.len() > 160 {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let numbered = words.clone().any(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.len() <= 6);
    lower.contains("p.o. box") || lower.contains("po box") || numbered && words.any(|w| STREETS.contains(&w))
}
