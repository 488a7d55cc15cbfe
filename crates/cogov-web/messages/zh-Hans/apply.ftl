apply-title = 申请数据
apply-heading = 申请 { $dataset }
apply-columns = 需要哪些列？
apply-columns-hint = 只申请用途所必需的列。
apply-purpose = 用于什么？
apply-purpose-code = 用途
apply-words = 具体说明
apply-legal-basis = 法律依据：所依据的法律或职责
apply-scenario = 应用场景：用于哪项程序或服务
apply-scope = 需要哪些行？
apply-scope-hint = 留空表示全部行。同一张表的条件须同时满足。
apply-region = 仅限本地区：{ $column } = { $code }
apply-scope-column = 列
apply-scope-op = 比较
apply-scope-value = 值
apply-scope-none = 无条件
apply-form = 使用方式
apply-lane = 通道
apply-days = 天数
apply-preview = 规则会怎么说？
apply-submit = 提交申请
apply-rulebook-says = 规则怎么说
preview-pick = 选择列后，可逐列查看规则的意见。
preview-refused = 规则会拒绝此项申请
preview-caption = 逐列意见
preview-treatment = 处理
preview-why = 理由
preview-answer = { $n ->
   *[other] 提供方须在 { $count } 个工作日内答复。
  }
applications-title = 我的申请
applications-lead = 本主体提出的申请及其进展。
applications-receipt = 您的申请 { $id } 已提交。本页显示其进展。
apply-bad-value = 该值与 { $column } 的类型不符：整数不带分隔符，日期写作 2026-01-31。
preview-requester-head = 提交提供方之前，须由申请方负责人同意。
preview-provider-head = 审批人同意后，须由提供方负责人同意。
