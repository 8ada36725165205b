//! Tests of the simulator on a small invented province: drawn, served, exported, and with figures worked out by hand.

mod by_hand;
mod drawn;
mod national_portal;
mod portal;

use jiff::civil::{Date, date};

use crate::simulator::{Province, ProvinceSettings, RegistryTexts, generate};

const AGENCIES: &str = "\
code,other_codes,name,aliases,kind,tier,vertical,parent,valid_from,valid_to,note
# Invented.
H61.14,000.00.14.H61,Sở mẫu A,Sở A,specialised,province,false,,,,
H61.31,,Xã mẫu Một,,commune,commune,false,,,,
H61.90,,Chi cục mẫu,,other,province,true,,,,
H61.15,000.00.15.H61;H61.15.00,Sở mẫu B,,specialised,province,false,,,,
H61.20,,Huyện mẫu,,district,district,false,,,2025-06-30,
H61.32,,Xã mẫu Hai,UBND xã Hai,commune,commune,false,,2025-07-01,,
H61.01,,Trung tâm mẫu,,service_centre,province,false,,,,
";

const PROCEDURES: &str = "\
code,name,sector,statutory_time,unit,cut_off,immediate,vertical,valid_from,valid_to,note
1.000001,\"Thủ tục \"\"mẫu\"\" Một, có phẩy\",GTVT,5,working_days,15:00,false,false,,,
2.000002,Chứng thực mẫu,Tư pháp,,working_days,15:00,true,false,,,
1.000003,Thuế mẫu,Thuế,3,working_days,15:00,false,true,,,
1.000004,Thủ tục mẫu Bốn,Đất đai,20,hours,,false,false,,,
";

const OFFERS: &str = "\
procedure,offered_by,role,at_one_stop,one_stop_exempt,list_1291,online_level,postal_submission,postal_return,interlinked,group_code,valid_from,valid_to,note
1.000001,tier:province,,true,,true,partial,true,true,,,,,
2.000002,tier:commune,,true,,,full,false,false,,,,,
2.000002,tier:district,,true,,,information,false,false,,,,,
1.000003,H61.90,,true,,,full,true,true,,,,,
1.000004,H61.15,,true,,true,full,true,true,,,,,
1.000004,tier:commune,,true,,true,partial,true,true,,,2025-07-01,,
";

const CALENDAR: &str = "\
date,kind,name,source
2025-09-01,holiday,Quốc khánh,
2025-09-02,holiday,Quốc khánh,
2026-01-01,holiday,Tết Dương lịch,
2026-01-02,compensation,Nghỉ bù,
2026-01-10,working,Làm bù,
2026-02-16,holiday,Tết Nguyên đán,
2026-02-17,holiday,Tết Nguyên đán,
2026-02-18,holiday,Tết Nguyên đán,
2026-02-19,holiday,Tết Nguyên đán,
2026-02-20,holiday,Tết Nguyên đán,
";

const REGISTRIES: RegistryTexts<'static> =
    RegistryTexts { agencies: AGENCIES, procedures: PROCEDURES, offers: OFFERS, calendar: CALENDAR };

/// A Friday.
const TODAY: Date = date(2026, 4, 10);

fn drawn(dossiers: usize, seed: u64) -> Province {
    let settings = ProvinceSettings { dossiers, seed, first: date(2025, 3, 1), ..ProvinceSettings::new(TODAY) };
    generate(&settings, &REGISTRIES).expect("the registries above are well formed")
}
