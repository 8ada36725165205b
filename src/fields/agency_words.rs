//! Words of which the names of agencies are made. Texts are compared without regard to case, Unicode form and the place
//! of the tone mark.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::text::name_key;

/// What a known phrase stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phrase {
    /// A body: the name of an agency begins with one.
    Body,
    /// A territory, after which its name follows: `xã An Bình`. A body, too.
    Territory,
    /// A field of work, a name of a province, a function word.
    Other,
}

/// Words for bodies. The first word of the name of an agency is one of them, or one of [`TERRITORIES`].
const BODIES: &str = "sở, ubnd, hđnd, ủy ban, ủy ban nhân dân, hội đồng nhân dân, hội đồng, trung tâm, chi cục, cục, tổng cục, \
    ban, ban quản lý, ban chỉ huy, ban tiếp công dân, phòng, công an, bảo hiểm xã hội, bảo hiểm, bhxh, văn phòng, vp, vpubnd, \
    chi nhánh, đội, thuế, thuế cơ sở, cơ quan thuế, kho bạc, kho bạc nhà nước, kbnn, tòa án, tòa án nhân dân, tand, viện kiểm sát, \
    viện kiểm sát nhân dân, vksnd, viện, bưu điện, bưu cục, điện lực, bộ, bộ phận, bộ chỉ huy, vụ, trường, bệnh viện, trạm, hạt, \
    tổ, tổng công ty, công ty, ngân hàng, thanh tra, liên đoàn, liên đoàn lao động, quỹ, cơ quan, đơn vị, đài, chính quyền, \
    khu kinh tế, khu công nghiệp, bql, bqlda, hải quan, thi hành án, cảng vụ, thư viện, bảo tàng, nhà văn hóa, ttpvhcc, tthcc, tt, \
    ttyt, vpđk, vpđkđđ, cnvpđk, cnvpđkđđ, csgt, csđt, thads, mttq, ủy ban mặt trận tổ quốc, mặt trận tổ quốc, hội nông dân, \
    hội liên hiệp phụ nữ, hội cựu chiến binh, đoàn thanh niên, tỉnh ủy, huyện ủy, thành ủy, đảng ủy, học viện, phân viện, \
    một cửa, quầy, điểm phục vụ, cơ sở";

/// Words for territories.
const TERRITORIES: &str = "xã, phường, huyện, quận, tỉnh, thị trấn, thị xã, thành phố, tp, tx, khu vực, đặc khu, liên xã, liên huyện, \
    liên phường, cụm, vùng, ngành";

/// Fields of work, words that stand between them, abbreviations.
const OTHERS: &str = "nội vụ, y tế, công thương, tư pháp, xây dựng, tài chính, kế hoạch, đầu tư, khoa học, công nghệ, giáo dục, đào tạo, \
    văn hóa, thể thao, du lịch, thông tin, truyền thông, giao thông, vận tải, giao thông vận tải, nông nghiệp, phát triển, \
    phát triển nông thôn, nông thôn, môi trường, tài nguyên, lao động, thương binh, xã hội, dân tộc, tôn giáo, ngoại vụ, \
    quản lý, dự án, kinh tế, khu kinh tế, khu công nghiệp, hạ tầng, đô thị, phục vụ, hành chính, hành chính công, dịch vụ công, \
    đất đai, đăng ký, nhà nước, nhân dân, thi hành án, dân sự, thi hành án dân sự, kiểm lâm, lâm nghiệp, chăn nuôi, thú y, \
    trồng trọt, bảo vệ thực vật, thủy sản, thủy lợi, thống kê, dân số, an toàn, an toàn thực phẩm, vệ sinh, kiểm soát bệnh tật, \
    tiêu chuẩn, đo lường, chất lượng, đường bộ, đường thủy, đường sắt, hàng hải, hàng không, đăng kiểm, sát hạch, xuất nhập cảnh, \
    cảnh sát, cảnh sát giao thông, quản lý xuất nhập cảnh, trật tự, xã hội, phòng cháy, chữa cháy, cứu nạn, cứu hộ, quân sự, biên phòng, \
    công tác, hỗ trợ, doanh nghiệp, đầu tư công, thẩm định, thẩm tra, tổng hợp, tổ chức, cán bộ, thi đua, khen thưởng, lưu trữ, \
    tiếp nhận, trả kết quả, tiếp nhận hồ sơ, kết quả, hồ sơ, một cửa, liên thông, công chứng, chứng thực, hộ tịch, trợ giúp, pháp lý, \
    bổ trợ tư pháp, lý lịch tư pháp, xử lý, nghiệp vụ, chuyên môn, đại học, cao đẳng, trung cấp, trung học, tiểu học, mầm non, mẫu giáo, \
    phổ thông, cơ sở, chính trị, đa khoa, y học, cổ truyền, sản nhi, lão khoa, mắt, dược, mỹ phẩm, thực phẩm, kiểm nghiệm, giám định, \
    pháp y, nước sạch, cấp nước, thoát nước, môi trường đô thị, công ích, điện lực, bưu chính, viễn thông, hợp tác, quốc tế, \
    phát thanh, truyền hình, báo chí, xuất bản, chuyển đổi số, cntt, công nghệ thông tin, sở hữu, trí tuệ, xúc tiến, thương mại, \
    quản lý thị trường, thị trường, nhà ở, công sở, bất động sản, quy hoạch, kiến trúc, khoáng sản, biển, đảo, khí tượng, biến đổi khí hậu, \
    giảm nghèo, bảo trợ, người có công, việc làm, dạy nghề, giáo dục nghề nghiệp, giáo dục thường xuyên, trẻ em, bình đẳng giới, phụ nữ, \
    thanh niên, nông dân, cựu chiến binh, tổ quốc, mặt trận, lao động, đảng, dân vận, tuyên giáo, tuyên huấn, kiểm tra, nội chính, \
    ngân sách, giá, công sản, kho bạc, thuế, hải quan, chính sách, ngân hàng, chính sách xã hội, nhà nước, tín dụng, \
    và, với, của, tại, cho, các, thuộc, cấp, trực thuộc, trong, ngoài, cũ, mới, khác, chung, trung ương, địa phương, khu, cơ quan, \
    mẫu, sổ, bắc, nam, đông, tây, trung, \
    pvhcc, hcc, kcn, kkt, ccn, gd, đt, gdđt, gtvt, kh, cn, khcn, khđt, lđ, tb, xh, lđtbxh, tbxh, nn, mt, nnmt, ptnt, nnptnt, tn, tnmt, \
    ttt, tttt, vh, dl, vhttdl, vhtt, vhxh, dt, tg, dttg, qlđt, ktht, tckh, thcs, thpt, gdtx, gdnn, pccc, cnch, qlnn, qlhc, xnc, qlxnc, \
    khkt, ubmttq, nhnn, nhcsxh, vnpt, evn, qlda, qltt, attp, bvtv, cdc";

/// Provinces and cities as they are and were, which follow a body without a word before them: `Bưu điện Trà Vinh`.
const PROVINCES: &str = "an giang, bà rịa, vũng tàu, bạc liêu, bắc giang, bắc kạn, bắc ninh, bến tre, bình dương, bình định, bình phước, \
    bình thuận, cà mau, cao bằng, cần thơ, đà nẵng, đắk lắk, đắk nông, điện biên, đồng nai, đồng tháp, gia lai, hà giang, hà nam, hà nội, \
    hà tĩnh, hải dương, hải phòng, hậu giang, hòa bình, hồ chí minh, huế, hưng yên, khánh hòa, kiên giang, kon tum, lai châu, lâm đồng, \
    lạng sơn, lào cai, long an, nam định, nghệ an, ninh bình, ninh thuận, phú thọ, phú yên, quảng bình, quảng nam, quảng ngãi, quảng ninh, \
    quảng trị, sóc trăng, sơn la, tây ninh, thái bình, thái nguyên, thanh hóa, thừa thiên huế, tiền giang, trà vinh, tuyên quang, \
    vĩnh long, vĩnh phúc, yên bái, việt nam";

/// Words of an address, and forms of address, that no name of an agency holds except in a known phrase.
const FOREIGN: &str = "đường, phố, hẻm, ngõ, ngách, kiệt, ấp, thôn, bản, làng, khóm, sóc, buôn, quốc lộ, tỉnh lộ, ql, đt, sđt, tel, \
    điện thoại, ông, bà, anh, chị, cô, chú, bác, em, cháu";

static PHRASES: LazyLock<HashMap<String, Phrase>> = LazyLock::new(|| {
    let of = |list: &'static str, phrase| list.split(", ").map(move |text| (name_key(text), phrase));
    let others = of(OTHERS, Phrase::Other).chain(of(PROVINCES, Phrase::Other));
    // The last of several meanings counts.
    others.chain(of(BODIES, Phrase::Body)).chain(of(TERRITORIES, Phrase::Territory)).collect()
});
static FOREIGN_WORDS: LazyLock<Vec<String>> = LazyLock::new(|| FOREIGN.split(", ").map(name_key).collect());
/// Most words of a phrase.
pub(super) const PHRASE_WORDS: usize = 6;

/// The phrase that a text is, by its key.
pub(super) fn phrase(key: &str) -> Option<Phrase> {
    PHRASES.get(key).copied()
}

/// Whether a word announces a number: `Đội số 2`.
pub(super) fn is_ordinal(key: &str) -> bool {
    key == name_key("số")
}

/// Whether a word belongs to an address, or addresses a person.
pub(super) fn is_foreign(key: &str) -> bool {
    FOREIGN_WORDS.iter().any(|word| word == key)
}
