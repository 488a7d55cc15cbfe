inbox-title = 收件箱
inbox-lead = 提交给本主体的申请，等您办理的排在前面。
inbox-empty = 这里没有内容。
inbox-waits = 待您办理
inbox-overdue = 已逾期
inbox-left = { $n ->
    [0] 今日到期
   *[other] 剩余 { $count } 个工作日
  }
inbox-late = { $n ->
   *[other] 逾期 { $count } 个工作日
  }
inbox-closed = 已办结
application-title = 申请：{ $what }
application-id = 编号
application-became = 已形成授权
application-acts = 您可以
application-columns = 同意提供的列
application-as-ruled = 按规则处理
application-treatment-of = { $column } 的处理方式
application-history = 经过（来自账本）
application-parties = 申请方 → 提供方
application-purpose = 用途
application-basis = 法律依据
application-scenario = 应用场景
application-rows = 行范围
application-all-rows = 全部行
application-form = 使用方式
application-lane = 通道
application-term = 期限
application-due = 答复期限
application-asked = 要求补正
application-supplied = 补正内容
application-reasons = 理由
application-approvals = 同意意见
application-asked-columns = 申请的列
application-days = { $n ->
   *[other] { $count } 天
  }
act-done = 已办理，并已入账。
act-approve-as-requester-head = 作为申请方负责人同意
act-agree = 同意
act-approve-as-provider-head = 作为提供方负责人同意
act-ask-for-more = 一次性告知需补正内容
act-supply = 提交补正
act-refuse = 拒绝
act-withdraw = 撤回申请
act-extend = 延长答复期限
act-agree-hint = 取消勾选即为部分同意。所选处理方式在严于规则时生效。
act-ask-for-more-hint = 一次列明全部缺失内容（第二十一条）。其间期限暂停计算。
act-refuse-hint = 拒绝须说明理由（第二十一条）。
act-extend-hint = 经主管部门同意并说明理由，可延长一次（第二十一条）。
act-words = 记录意见
act-reasons = 理由
act-list = 缺少的内容
act-answer = 您的答复
application-words = 申请方说明
