"""What a check, a cell or a workbook says to people: Chinese texts by check id and code, English by the switch."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from households.domain.checks.figures import FIGURES
from households.domain.photo import PhotoRefused
from households.domain.workbook import WorkbookRefused

CHECK_TEXTS = {
    "id-check-digit": _("证件号码的校验码不对，或其中的日期不存在；确属老号码的请填写“无证件原因”"),
    "id-length": _("证件号码应为18位（或15位老号码），现为%(length)s位；残疾证号另有一栏"),
    "id-sex": _("性别与证件号码不一致，按号码应为%(expected)s"),
    "id-birth": _("出生日期与证件号码不一致"),
    "id-area": _("证件号码的地区码不在现行地区之内，请核对"),
    "id-missing": _("满一周岁的成员没有证件号码，也没有填写原因"),
    "id-double": _("等待重号核查"),
    "member-twice": _("同一证件号码在本户出现两次"),
    "disability-certificate": _("健康状况为残疾但没有残疾证号，或残疾证号与证件号码不符"),
    "village-unknown": _("行政村编码不存在，按名称也找不到唯一的村"),
    "value-list": _("填写的内容不在可选范围之内"),
    "number-form": _("应填数字的不是数字，或号码的末尾几位已丢失"),
    "text-long": _("内容太长，最多%(limit)s个字"),
    "phone-form": _("联系电话不是11位手机号，也不是带区号的座机号"),
    "phone-shared": _("同一电话出现在不同村或县的户卡上"),
    "name-form": _("姓名中有数字、字母或其他符号"),
    "name-missing": _("姓名没有填写"),
    "year-missing": _("年度没有填写"),
    "one-head": _("每户应有且只有一名户主，现有%(heads)s名"),
    "head-on-card": _("户主证件号码不在本户成员之中"),
    "spouse-sex": _("户主与配偶性别相同"),
    "two-spouses": _("户主的配偶多于一名"),
    "relation-sex": _("与户主关系和性别矛盾"),
    "child-age": _("子女比户主小不到%(child_least)s岁或超过%(child_most)s岁"),
    "parent-age": _("父母比户主大不到%(parent_least)s岁"),
    "grandchild-age": _("孙辈比户主小不到%(grandchild_least)s岁"),
    "spouse-age": _("配偶未到婚龄（男%(marriage_men)s岁、女%(marriage_women)s岁），或与户主相差%(spouse_gap)s岁以上"),
    "head-minor": _("户主不满16岁而户内有成年人"),
    "age-limit": _("年龄超过%(oldest)s岁"),
    "birth-future": _("出生日期在本年度之后"),
    "household-size": _("家庭成员超过%(members)s人"),
    "school-age-out": _("6至15岁不在校，没有初中毕业，也没有填写失学或辍学原因"),
    "education-empty": _("文化程度、在校生状况和失学原因都没有填写"),
    "education-and-school": _("文化程度高于正在就读的学校"),
    "college-minor": _("不满18岁而文化程度为大专或以上"),
    "preschool-age": _("满7岁仍为学龄前"),
    "low-education-young": _("16至22岁文化程度为小学或以下"),
    "school-age-adult": _("26岁以上仍在校"),
    "labour-minor": _("不满16岁而有劳动能力"),
    "labour-severe-disability": _("一、二级残疾而为普通或技能劳动力"),
    "labour-weak-healthy": _("健康、16至59岁、不在校，却为弱劳动力或无劳动力"),
    "labour-old": _("超过70岁而为普通或技能劳动力"),
    "work-away-no-labour": _("没有劳动能力却有务工区域"),
    "work-away-pupil": _("在校却有务工区域"),
    "work-months": _("务工时间应为1至12个月，并与务工区域同时填写"),
    "work-wage": _("有成员务工而工资性收入为零"),
    "wage-nobody": _("有工资性收入而无人有劳动能力"),
    "wage-monthly": _("按务工月数计，月工资低于%(wage_least)s元或高于%(wage_most)s元"),
    "skilled-idle": _("有技能或大专以上文化，却既不务工也不在本地就业"),
    "public-post-age": _("不满16岁或超过70岁在公益性岗位"),
    "illness-cost": _("主要致贫原因为因病，但无人患病或自付医疗支出为零"),
    "cause-disability": _("主要致贫原因为因残，但无人残疾"),
    "cause-school": _("主要致贫原因为因学，但无人在校"),
    "cause-labour": _("主要致贫原因为缺劳力，但一半以上成员有劳动能力"),
    "cause-twice": _("其他致贫原因与主要致贫原因重复，或多于两项"),
    "cause-on-general": _("一般农户填写了致贫原因或脱贫标志"),
    "insurance-none": _("城乡居民和职工医疗保险都没有参加"),
    "insurance-both": _("同时参加城乡居民和职工医疗保险"),
    "pension-minor": _("不满16岁参加养老保险"),
    "pension-income": _("有60岁以上参保成员而养老保险金为零"),
    "dibao-attribute": _("贫困户属性与低保情况不一致"),
    "wubao-people": _("五保户中有健康的劳动年龄成员"),
    "no-labour-no-dibao": _("全家无劳动能力也无人享受低保，请了解是否需要救助"),
    "income-sum": _("合计与各分项之和不一致，按分项应为%(expected)s元"),
    "income-per-capita": _("人均纯收入不等于家庭年纯收入除以%(members)s人"),
    "income-negative": _("收入或支出不能为负"),
    "cost-without-business": _("没有生产经营性收入却有生产经营性支出"),
    "cost-over-business": _("生产经营性支出高于收入"),
    "business-without-land": _("没有土地和牲畜却有生产经营性收入，或有土地而没有收入"),
    "income-zero": _("家庭年纯收入为零，或人均不到%(poor_income)s元"),
    "income-round": _("各项收入都是整千元"),
    "income-jump": _("人均纯收入比上年增加到%(jump_factor)s倍以上，或减少到%(jump_factor)s分之一以下"),
    "exit-below-line": _("标为已脱贫，但收入低于当年标准线%(line)s元"),
    "exit-guarantee": _("标为已脱贫，但义务教育、基本医疗、住房或饮水安全没有保障"),
    "exit-year": _("标为已脱贫而没有脱贫年度，或脱贫年度晚于本年度"),
    "house-area": _("住房面积没有填写，或小于%(house_least)s、大于%(house_most)s平方米"),
    "house-grade": _("是否危房户与危房级别不一致"),
    "water": _("饮水情况没有填写，或困难与安全并存"),
    "land-range": _("面积没有填写，或大得少见（耕地等超过%(field_area)s亩，林地等超过%(forest_area)s亩）"),
    "land-negative": _("面积不能为负"),
    "irrigated": _("有效灌溉面积大于耕地面积"),
    "road-distance": _("入户路类型没有填写，或距村主干路超过%(road_km)s公里"),
    "power": _("没有生活用电"),
    "member-vanished": _("上年的成员今年不在表内，也没有变动记录"),
    "card-old": _("%(old_months)s个月没有走访或更新"),
    "risk-months": _("识别后不满%(risk_months)s个月即消除风险"),
    "household-twice": _("同一户在户信息表中出现两次（另见第%(row)s行）"),
    "household-row-missing": _("人信息表中的成员在户信息表中没有对应的户"),
    "household-no-key": _("没有户编号，也没有户主证件号码，无法对应到户"),
    "year-outside": _("年度不在可接受的范围之内（2010至2100）"),
    "area-outside": _("该村不在您的工作范围之内"),
    "number-elsewhere": _("该户编号属于您工作范围之外的户"),
    "household-known": _("该户已在系统中；本次导入选定不接收已有的户"),
    "village-changed": _("该户在系统中属于另一个村，迁移须另行办理"),
    "past-member": _("往年的年度表只能填写本户已有的成员"),
    "lines-closed": _("导入的合计与收入明细不一致，以导入的合计为准，原明细已转入历史，请核对"),
    "status-differs": _("表内属性或脱贫标志与系统状态不一致"),
}

# number-form, by what is wrong with the figure
FIGURE_TEXTS = {
    "lost-digits": _("号码按数字存放，末尾几位已丢失；请把该列设为文本后重新填写"),
    "text": _("这里应是文字或号码"),
    "code": _("应为12位行政区划代码"),
    "figure": _("这里应是数字"),
    "large": _("数字太大"),
    "whole": _("应为整数"),
    "negative": _("不能为负"),
    "year": _("应为四位年份"),
    "date": _("日期不完整或不存在，请写成2019-05-21"),
    "error": _("单元格是公式错误"),
    "masked": _("号码带星号，是遮盖过的；系统中没有可对上的户和成员，请填写完整号码"),
}

PHOTO_TEXTS = {
    "photo-empty": _("文件是空的；请重新拍摄或重新选择"),
    "photo-large": _("照片超过 %(megabytes)s MB；请用手机浏览器拍摄（会自动缩小），或缩小后再上传"),
    "photo-kind": _("这不是照片（只收 JPG、PNG、WebP）；请重新拍摄或另选一张"),
    "photo-heic": _("手机的 HEIC 格式不能直接上传；请在相机设置里改为“兼容性最佳”（JPG）后重拍，或另存为 JPG"),
    "photo-animated": _("动图不能作为佐证；请上传一张静止的照片"),
    "photo-pixels": _("照片的像素太多（上限 %(megapixels)s 百万）；请缩小后再上传"),
    "photo-small": _("图片太小或太窄，看不清内容；请重新拍摄"),
    "photo-broken": _("照片已损坏，无法读取；请重新拍摄或重新保存后再上传"),
}

# why an event of a household is not possible (domain.events.NotPossible)
EVENT_TEXTS = {
    "not_a_member": _("%(name)s不是本户现有成员，请核对最新内容后重新办理"),
    "lives_elsewhere": _("%(name)s现在另一张户卡上，不能同时在两户"),
    "is_dead": _("%(name)s已登记死亡；登记有误的，请撤销那一项"),
    "is_double": _("%(name)s是已合并的重复记录，请用保留的那一条"),
    "never_left": _("%(name)s没有离户记录"),
    "card_closed": _("户卡已销户，请先恢复户卡"),
    "card_open": _("户卡没有销户，不用恢复"),
    "card_empty": _("户内没有成员了，请办理销户"),
    "card_exists": _("该户卡已存在"),
    "head_missing": _("每户须有一名户主，请指定户主"),
    "two_heads": _("每户只能有一名户主"),
    "head_newborn": _("新生儿不能是户主"),
    "relation_missing": _("户主有变动，请填写%(name)s与新户主的关系"),
    "nobody_chosen": _("请选择成员"),
    "everybody_chosen": _("全家都分出就不是分户；整户搬走请办理迁移"),
    "same_card": _("不能与本户自己办理"),
    "same_village": _("该户已在这个村"),
    "changed_since": _("办理之后户卡又有变动（%(name)s），不能直接撤销；请按现在的情况另行办理"),
    "undone_already": _("这一项已经撤销"),
    "day_ahead": _("日期不能晚于今天"),
    "day_before_joining": _("日期早于%(name)s的入户日期"),
}

CLOSING_REASONS = {
    "died_out": _("户内已无人"),
    "left_city": _("全家迁出本市"),
    "wrong_entry": _("录入错误"),
    "other": _("其他"),
}

# how a membership ended, in words (Membership.end_reason)
END_REASONS = {
    "removed": _("录入时移出"),
    "split": _("分户"),
    "merged": _("并户"),
    "closed": _("销户"),
    "died": _("死亡"),
    "married_out": _("婚出"),
    "duplicate": _("重复记录"),
    "undone": _("撤销"),
}

WORKBOOK_TEXTS = {
    "workbook-not-xlsx": _("这不是 Excel 工作簿（.xlsx），也不是 CSV 文本；请用 Excel 或 WPS 另存为 .xlsx 后再上传"),
    "workbook-old": _("这是旧格式的 .xls 工作簿；请另存为 .xlsx 后再上传"),
    "workbook-binary": _("这是二进制格式的 .xlsb 工作簿；请另存为 .xlsx 后再上传"),
    "workbook-encrypted": _("工作簿设有密码；请去掉密码后再上传"),
    "workbook-macros": _("工作簿带有宏；请另存为不含宏的 .xlsx 后再上传"),
    "workbook-broken": _("工作簿已损坏，无法读取；请在 Excel 中打开并重新保存"),
    "workbook-bomb": _("工作簿的内容异常（解压后极大），已拒绝"),
    "workbook-too-large": _("工作簿太大；请按乡镇或村拆分后再上传"),
    "workbook-dimensions": _("工作表的范围异常（单元格 %(cell)s）；请删除多余的行列后再上传"),
    "workbook-slow": _("读取工作簿超时；请按乡镇或村拆分后再上传"),
    "sheet-missing": _("缺少工作表“%(sheet)s”；现有工作表：%(found)s"),
    "header-missing": _("工作表“%(sheet)s”的前%(rows)s行中找不到表头"),
    "columns-missing": _("工作表“%(sheet)s”缺少必需的列：%(columns)s"),
    "column-twice": _("工作表“%(sheet)s”的列“%(column)s”出现了两次"),
    "zip-names": _("压缩包内的文件名异常（含上级目录或绝对路径），已拒绝"),
    "zip-members": _("压缩包内只能放 CSV 文件，现有“%(name)s”"),
    "zip-empty": _("压缩包内没有 CSV 文件"),
    "table-missing": _("缺少“%(sheet)s”的 CSV 文件；现有文件：%(found)s"),
    "workbook-empty": _("工作簿中没有任何户"),
    "job-failed": _("处理中断，已入库的户保留；请重新导入同一文件"),
}


# The figures a note was kept without: those of the reference.
_REFERENCE = {name: f"{each.default.normalize():f}" for name, each in FIGURES.items()}


def message(check_id: str, parameters: Mapping[str, Any] | None = None) -> str:
    """The text of a check that fired, its parameters filled in; a rule without one here brings its own."""
    parameters = _REFERENCE | dict(parameters or {})
    figure = FIGURE_TEXTS.get(parameters.get("kind", "")) if check_id == "number-form" else None
    text = figure or CHECK_TEXTS.get(check_id)
    if text is None:
        return str(parameters.get("text", check_id))
    try:
        return str(text) % {name: _shown(value) for name, value in parameters.items()}
    except KeyError:
        return str(text)


def photo_message(refused: PhotoRefused) -> str:
    """Why a photo was not taken."""
    return str(PHOTO_TEXTS[refused.code]) % refused.facts


def event_message(code: str, name: str = "") -> str:
    """Why an event is not possible; `name` is the member it is about."""
    text = EVENT_TEXTS.get(code)
    return str(text) % {"name": name or _("有关成员")} if text else code


def workbook_message(refused: WorkbookRefused) -> str:
    """Why a workbook as a whole was not taken."""
    return workbook_refusal(refused.code, refused.facts)


def workbook_refusal(code: str, facts: Mapping[str, Any]) -> str:
    """The same, by code and facts as a batch keeps them."""
    text = WORKBOOK_TEXTS.get(code)
    if text is None:
        return code
    said = str(text) % {name: _shown(value) for name, value in facts.items()}
    for missing, near in facts.get("near", {}).items():
        said += gettext("；“%(near)s”是否应为“%(missing)s”？") % {"near": near, "missing": missing}
    return said


def _shown(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
